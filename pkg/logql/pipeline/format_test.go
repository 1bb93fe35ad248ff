package pipeline_test

import (
	"strings"
	"testing"
)

func TestFormats(t *testing.T) {
	checkParsers(t, []parserCase{
		{`| logfmt | line_format "{{.n}}-{{.absent}}-{{.app}}"`, `n=5`, `5--x {n="5"}`},
		{`| line_format "[{{__line__}}]"`, `a`, `[a] {}`},
		{`| logfmt | line_format "{{range $k, $v := .}}{{$k}}={{$v}};{{end}}"`, `n=5`, `app=x;n=5; {n="5"}`},
		{`| logfmt | label_format x=n`, `n=5`, `{x="5"}`},
		{`| logfmt | label_format x="{{.n}}!"`, `n=5`, `{n="5", x="5!"}`},
		{`| logfmt | label_format a=n,b=a`, `n=5`, `{b="5"}`},
		{`| logfmt | label_format x=miss`, `n=5`, `{n="5"}`},
		{`| logfmt | label_format n=n`, `n=5`, `{}`},
		{`| logfmt | label_format a="{{.n}}",b="{{.a}}"`, `n=5`, `{a="5", b="", n="5"}`},
		{`| logfmt | label_format a="{{.n | upper}}",b="{{.a}}",c="{{.n}}"`, `n=x`, `{a="X", b="", c="x", n="x"}`},
		{`| logfmt | label_format b=n,c="{{.n}}"`, `n=5`, `{b="5", c=""}`},
		{`| label_format x="{{ToUpper 5}}" | x=""`, ``, `{__error__="TemplateFormatErr", __error_details__="template: label:1:10: executing \"label\" at <5>: expected string; found 5"}`},
	})
}

func TestTemplateFunctions(t *testing.T) {
	for template, want := range map[string]string{
		`{{ToLower "AB"}}{{ToUpper "ab"}}{{lower "AB"}}{{upper "ab"}}`:                       "abABabAB",
		`{{title "hello wOrld foo-bar"}}`:                                                    "Hello WOrld Foo-Bar",
		`{{Replace "oo" "o" "0" 1}}{{replace "o" "0" "oo"}}`:                                 "0o00",
		`{{Trim "xax" "x"}}{{TrimLeft "xa" "x"}}{{TrimRight "ax" "x"}}`:                      "aaa",
		`{{trimAll "x" "xax"}}{{trimPrefix "x" "xa"}}{{trimSuffix "x" "ax"}}{{trim " a "}}`:  "aaaa",
		`{{TrimPrefix "xa" "x"}}{{TrimSuffix "ax" "x"}}{{TrimSpace " a "}}`:                  "aaa",
		`{{regexReplaceAll "(a)(b)" "ab" "${2}$1"}}{{regexReplaceAllLiteral "a" "ab" "$1"}}`: "ba$1b",
		`{{count "a|b" "aabc"}}`:                                                                            "3",
		`{{urlencode "Hello World"}}{{urldecode "a%20b"}}`:                                                  "Hello+Worlda b",
		`{{trunc 2 "abc"}}{{trunc -2 "abc"}}{{trunc 9 "abc"}}`:                                              "abbcabc",
		`{{substr 0 2 "abc"}}{{substr -1 1 "abc"}}{{substr 1 -1 "abc"}}{{substr 1 9 "abc"}}`:                "ababcbc",
		`{{contains "b" "abc"}}{{hasPrefix "a" "abc"}}{{hasSuffix "a" "abc"}}`:                              "truetruefalse",
		`{{indent 2 "a\nb"}}{{nindent 1 "c"}}`:                                                              "  a\n  b\n c",
		`{{repeat 3 "ab"}}`:                                                                                 "ababab",
		`[{{alignLeft 3 "abcd"}}|{{alignLeft 3 "é"}}|{{alignRight 3 "abcd"}}|{{alignRight 3 "é"}}]`:         "[abc|é  |bcd|  é]",
		`{{b64enc "hi"}}{{b64dec "aGk"}}{{b64dec "aGk="}}`:                                                  "aGk=hihi",
		`{{bytes "1.5KiB"}} {{duration "1h30m"}} {{duration_seconds "250ms"}}`:                              "1536 5400 0.25",
		`{{int "3.9"}} {{int "x"}} {{float64 "1.5"}}`:                                                       "3 0 1.5",
		`{{add 1 2 3}} {{sub 5 2}} {{mul 2 3 4}} {{div 7 2}} {{mod 7 2}}`:                                   "6 3 24 3 1",
		`{{addf 0.1 0.2}} {{subf 0.3 0.1 0.1}} {{mulf 1.1 1.1}} {{divf 1 3}}`:                               "0.3 0.1 1.21 0.3333333333333333",
		`{{max 1 5 3}} {{min 1 5 3}} {{maxf 1.5 2}} {{minf 1.5 2}}`:                                         "5 1 2 1.5",
		`{{ceil 1.2}} {{floor 1.8}} {{round 1.15 1}} {{round 3.14159 3 0.2}}`:                               "2 1 1.2 3.142",
		`{{(fromJson "{\"c\":{\"d\":1}}").c.d}}{{fromJson "bad"}}`:                                          "1<no value>",
		`{{default "d" ""}}{{default "d" "v"}}`:                                                             "dv",
		`{{date "2006-01-02" (unixToTime "1793491200")}} {{unixToTime "20000" | unixEpoch}}`:                "2026-11-01 1728000000",
		`{{toDate "2006-01-02" "2026-11-01" | unixEpochMillis}} {{toDate "2006" "x"}}`:                      "1793491200000 0001-01-01 00:00:00 +0000 UTC",
		`{{toDateInZone "2006-01-02 15" "Europe/Berlin" "2026-07-01 02" | unixEpoch}}`:                      "1782864000",
		`{{__timestamp__}} {{__timestamp__.Unix}}`:                                                          "1970-01-01 00:00:00.000000001 +0000 UTC 0",
		`{{/* c */}}{{- if eq .app "x" }}y{{else}}n{{end -}}`:                                               "y",
		`{{define "a"}}<{{.}}>{{end}}{{template "a" "b"}}{{range $i, $v := fromJson "[1,2]"}}{{$i}}{{end}}`: "<b>01",
		`{{printf "%5.2f|%-3s|%v" 1.234 "a" true}}{{html "<"}}{{js "'"}}{{urlquery "a b"}}{{print 1 2}}`:    " 1.23|a  |true&lt;\\'a+b1 2",
	} {
		if got := run(t, "| line_format `"+template+"`", appX, "line"); got != want+" {}" {
			t.Errorf("%s\ngot  %s\nwant %s", template, got, want)
		}
	}
}

// TestTemplatesAreBounded holds that no template uses memory or time without end.
func TestTemplatesAreBounded(t *testing.T) {
	for _, template := range []string{
		`{{repeat 1000000000 "x"}}`,
		`{{indent 1000000000 "x"}}`,
		`{{alignLeft 1000000000 "x"}}`,
		`{{alignRight 2000000 "x"}}`,
		`{{$x := repeat 1000 "x"}}{{range 1000000}}{{$x}}{{end}}`,
		`{{range 2000000000}}{{end}}`,
		`{{range 100000}}{{range 100000}}{{end}}{{end}}`,
		`{{$x := "xxxxxxxxxx"}}{{range 60}}{{$x = printf "%s%s" $x $x}}{{end}}`,
		`{{$x := "\\"}}{{range 60}}{{$x = js $x}}{{end}}`,
		`{{define "a"}}{{template "a"}}{{end}}{{template "a"}}`,
		`{{define "a"}}{{template "a"}}{{template "a"}}{{end}}{{template "a"}}`,
		`{{printf "%999999d%999999d%999999d" 1 2 3}}`,
		`{{printf "%*d" 999999 1}}{{printf "%*d" 999999 1}}`,
		`{{$x := repeat 100000 "a"}}{{regexReplaceAll "a" $x $x}}`,
		`{{$x := repeat 100000 "a"}}{{replace "a" $x $x}}`,
		`{{$x := repeat 100000 "a"}}{{range 100000}}{{$y := lower $x}}{{end}}`,
		`{{$x := repeat 1000000 "a"}}{{range 1000}}{{$y := count "b+" $x}}{{end}}`,
	} {
		got := run(t, "| line_format `"+template+"`", appX, "line")
		if !strings.HasPrefix(got, `{__error__="TemplateFormatErr", __error_details__="`) || len(got) > 1000 {
			t.Errorf("%s gave %.200s", template, got)
		}
	}
}
