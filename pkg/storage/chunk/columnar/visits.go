package columnar

// visits counts the slots that are visited to rebuild one value of a template, those of the values' parts included. A slot may repeat another one, so
// that few bytes could ask for endlessly many.
type visits struct {
	slots [maxSlots]int  // of the values of each slot of the template that is being read
	pools [poolCount]int // of those of each pool
	most  int            // of the values of all templates that were added
}

// maxVisits is how many slots a value may have: templates are made of whole values, of their parts, and of the parts of these.
const maxVisits = (maxSlots + 1) * (maxSlots + 1) * (maxSlots + 1)

// put notes what the values of slots from s on take.
func (v *visits) put(s, slots, each int) {
	for i := range slots {
		v.slots[s+i] = each
	}
}

// add adds a template with n slots.
func (v *visits) add(n int) error {
	sum := 1
	for _, each := range v.slots[:n] {
		sum += each
	}
	return v.meet(sum)
}

// addPooled adds a template whose slots lie in pools; none when there are no pools.
func (v *visits) addPooled(pools []byte) error {
	sum := 1
	for _, p := range pools {
		sum += v.pools[p]
	}
	return v.meet(sum)
}

func (v *visits) meet(sum int) error {
	if sum > maxVisits {
		return errMalformed("too many slots")
	}
	v.most = max(v.most, sum)
	return nil
}
