package pipeline

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
)

var errDecimalDivision = errors.New("decimal division by 0")

// divisionDigits is how many decimal places a decimal quotient has.
const divisionDigits = 16

// decimal returns the number whose shortest decimal text is that of v: decimal arithmetic has 0.1 + 0.2 = 0.3.
func decimal(v any) (*big.Rat, error) {
	f := toFloat64(v)
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, fmt.Errorf("Cannot create a Decimal from %v", f)
	}
	r, ok := new(big.Rat).SetString(strconv.FormatFloat(f, 'g', -1, 64))
	if !ok {
		return nil, fmt.Errorf("Cannot create a Decimal from %v", f)
	}
	return r, nil
}

func foldDecimals(first any, rest []any, op func(acc, v *big.Rat) error) (float64, error) {
	acc, err := decimal(first)
	if err != nil {
		return 0, err
	}
	for _, x := range rest {
		v, err := decimal(x)
		if err != nil {
			return 0, err
		}
		if err := op(acc, v); err != nil {
			return 0, err
		}
	}
	f, _ := acc.Float64()
	return f, nil
}

func addDecimals(vs ...any) (float64, error) {
	return foldDecimals(0, vs, func(acc, v *big.Rat) error { acc.Add(acc, v); return nil })
}

func subDecimals(a any, vs ...any) (float64, error) {
	return foldDecimals(a, vs, func(acc, v *big.Rat) error { acc.Sub(acc, v); return nil })
}

func mulDecimals(a any, vs ...any) (float64, error) {
	return foldDecimals(a, vs, func(acc, v *big.Rat) error { acc.Mul(acc, v); return nil })
}

func divDecimals(a any, vs ...any) (float64, error) {
	return foldDecimals(a, vs, func(acc, v *big.Rat) error {
		if v.Sign() == 0 {
			return errDecimalDivision
		}
		acc.Quo(acc, v)
		rounded, ok := new(big.Rat).SetString(acc.FloatString(divisionDigits))
		if !ok {
			return errDecimalDivision
		}
		acc.Set(rounded)
		return nil
	})
}
