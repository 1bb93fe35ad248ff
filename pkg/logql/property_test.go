package logql_test

import (
	"math/rand/v2"
	"testing"

	"github.com/cambium-logs/cambium/pkg/logql"
	"github.com/cambium-logs/cambium/pkg/logql/logqltest"
)

// Canonical and formatted text parse back to the tree that they were written from.
func TestPrintParseIdentity(t *testing.T) {
	for _, extensions := range []bool{false, true} {
		opts := logqltest.Options{Odd: true, Extensions: extensions}
		for seed := range uint64(4000) {
			g := logqltest.New(rand.New(rand.NewPCG(seed, 1)), opts)
			e := g.Expr()
			for _, text := range []string{e.String(), logql.Format(e)} {
				back, err := logql.Parse(text, logql.ParseOptions{Extensions: extensions})
				if err != nil {
					t.Fatalf("seed %d: %s\n%s", seed, text, err)
				}
				if !logqltest.Equal(e, back) {
					t.Fatalf("seed %d: %s\nwas\n%s\nbecame\n%s", seed, text, logqltest.Dump(e), logqltest.Dump(back))
				}
			}
		}
	}
}

// The grammar of the extensions reads a LogQL query as LogQL does.
func TestExtensionsKeepMeaning(t *testing.T) {
	for seed := range uint64(4000) {
		text := logqltest.New(rand.New(rand.NewPCG(seed, 2)), logqltest.Options{}).Expr().String()
		plain, err := logql.Parse(text, logql.ParseOptions{})
		if err != nil {
			t.Fatalf("%s\n%s", text, err)
		}
		extended, err := logql.ParseExtended(text)
		if err != nil {
			t.Fatalf("%s\n%s", text, err)
		}
		if !logqltest.Equal(plain, extended) {
			t.Fatalf("%s\nmeans\n%s\nand with extensions\n%s", text, logqltest.Dump(plain), logqltest.Dump(extended))
		}
		if logql.Extended(plain) {
			t.Fatalf("%s is taken for an extension", text)
		}
	}
}
