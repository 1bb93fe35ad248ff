package main

import "fmt"

// bars are what is wanted of the measurements.
type bars []bar

type bar struct {
	what         string
	wanted, have string
	met          bool
}

func (b *bars) atMost(what string, most, have float64, unit string) {
	*b = append(*b, bar{what, fmt.Sprintf("≤ %g%s", most, unit), fmt.Sprintf("%.3g%s", have, unit), have <= most})
}

func (b *bars) atLeast(what string, least, have float64, unit string) {
	*b = append(*b, bar{what, fmt.Sprintf("≥ %g%s", least, unit), fmt.Sprintf("%.3g%s", have, unit), have >= least})
}

func (b *bars) print() {
	fmt.Print("\n### What is wanted\n\n| what | wanted | measured | |\n| --- | ---: | ---: | --- |\n")
	for _, x := range *b {
		verdict := "missed"
		if x.met {
			verdict = "met"
		}
		fmt.Printf("| %s | %s | %s | %s |\n", x.what, x.wanted, x.have, verdict)
	}
}
