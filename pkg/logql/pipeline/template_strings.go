package pipeline

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"text/template"
	"unicode"
	"unicode/utf8"
)

var errNegativeCount = errors.New("negative count")

// addStringFuncs adds the functions on strings. The capitalised family takes its subject first, the other one last.
func (x *execution) addStringFuncs(m template.FuncMap) {
	m["ToLower"] = x.one(strings.ToLower)
	m["ToUpper"] = x.one(strings.ToUpper)
	m["lower"] = x.one(strings.ToLower)
	m["upper"] = x.one(strings.ToUpper)
	m["title"] = x.one(title)
	m["trim"] = x.one(strings.TrimSpace)
	m["TrimSpace"] = x.one(strings.TrimSpace)
	m["Trim"] = x.two(strings.Trim)
	m["TrimLeft"] = x.two(strings.TrimLeft)
	m["TrimRight"] = x.two(strings.TrimRight)
	m["TrimPrefix"] = x.two(strings.TrimPrefix)
	m["TrimSuffix"] = x.two(strings.TrimSuffix)
	m["trimAll"] = x.two(func(set, s string) string { return strings.Trim(s, set) })
	m["trimPrefix"] = x.two(func(p, s string) string { return strings.TrimPrefix(s, p) })
	m["trimSuffix"] = x.two(func(p, s string) string { return strings.TrimSuffix(s, p) })
	m["contains"] = func(sub, s string) bool { return strings.Contains(s, sub) }
	m["hasPrefix"] = func(p, s string) bool { return strings.HasPrefix(s, p) }
	m["hasSuffix"] = func(p, s string) bool { return strings.HasSuffix(s, p) }
	m["Replace"] = x.replace
	m["replace"] = func(from, to, s string) (string, error) { return x.replace(s, from, to, -1) }
	m["repeat"] = x.repeat
	m["indent"] = x.indent
	m["nindent"] = func(n int, s string) (string, error) {
		s, err := x.indent(n, s)
		return "\n" + s, err
	}
	m["trunc"] = trunc
	m["substr"] = substr
	m["alignLeft"] = func(n int, s string) (string, error) { return x.align(n, s, false) }
	m["alignRight"] = func(n int, s string) (string, error) { return x.align(n, s, true) }
	m["urlencode"] = x.one(url.QueryEscape)
	m["urldecode"] = url.QueryUnescape
	m["b64enc"] = x.one(func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) })
	m["b64dec"] = x.one(decodeBase64)
	m["regexReplaceAll"] = x.regexReplaceAll
	m["regexReplaceAllLiteral"] = x.regexReplaceAllLiteral
	m["count"] = x.count
}

func (x *execution) one(f func(string) string) func(string) (string, error) {
	return func(s string) (string, error) {
		if err := x.charge(len(s)); err != nil {
			return "", err
		}
		return x.result(f(s))
	}
}

func (x *execution) two(f func(a, b string) string) func(a, b string) (string, error) {
	return func(a, b string) (string, error) {
		if err := x.charge(len(a) + len(b)); err != nil {
			return "", err
		}
		return x.result(f(a, b))
	}
}

func (x *execution) replace(s, from, to string, n int) (string, error) {
	if err := x.charge(len(s)); err != nil {
		return "", err
	}
	found := strings.Count(s, from)
	if n >= 0 {
		found = min(found, n)
	}
	if len(s)+found*(len(to)-len(from)) > maxTemplateOutput {
		return "", errTemplateOutput
	}
	return x.result(strings.Replace(s, from, to, n))
}

func (x *execution) repeat(n int, s string) (string, error) {
	switch {
	case n < 0:
		return "", errors.New("strings: negative Repeat count")
	case len(s) > 0 && n > maxTemplateOutput/len(s):
		return "", errTemplateOutput
	}
	return x.result(strings.Repeat(s, n))
}

func (x *execution) indent(n int, s string) (string, error) {
	if n < 0 {
		return "", errNegativeCount
	}
	if n > maxTemplateOutput || len(s)+n*(strings.Count(s, "\n")+1) > maxTemplateOutput {
		return "", errTemplateOutput
	}
	pad := strings.Repeat(" ", n)
	return x.result(pad + strings.ReplaceAll(s, "\n", "\n"+pad))
}

// align cuts or pads s to n characters: at the right end, or at the left one.
func (x *execution) align(n int, s string, right bool) (string, error) {
	if n < 0 {
		return s, nil
	}
	if n > maxTemplateOutput {
		return "", errTemplateOutput
	}
	pad := n - utf8.RuneCountInString(s)
	switch {
	case pad >= 0 && right:
		return x.result(strings.Repeat(" ", pad) + s)
	case pad >= 0:
		return x.result(s + strings.Repeat(" ", pad))
	case right:
		for ; pad < 0; pad++ {
			_, size := utf8.DecodeRuneInString(s)
			s = s[size:]
		}
		return s, nil
	}
	for i := range s {
		if n == 0 {
			return s[:i], nil
		}
		n--
	}
	return s, nil
}

// title makes the first letter of each word upper case.
func title(s string) string {
	start := true
	return strings.Map(func(r rune) rune {
		begins := start
		start = !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' && (r < utf8.RuneSelf || unicode.IsSpace(r))
		if begins {
			return unicode.ToTitle(r)
		}
		return r
	}, s)
}

// trunc keeps the first n bytes, or the last -n.
func trunc(n int, s string) string {
	switch {
	case n >= 0 && len(s) > n:
		return s[:n]
	case n < 0 && len(s)+n > 0:
		return s[len(s)+n:]
	}
	return s
}

// substr returns the bytes [start, end). A negative start is 0; an end that is negative or too large is the end of s.
func substr(start, end int, s string) (string, error) {
	if start < 0 {
		if end < 0 {
			return "", fmt.Errorf("runtime error: slice bounds out of range [:%d]", end)
		}
		if end > len(s) {
			return "", fmt.Errorf("runtime error: slice bounds out of range [:%d] with length %d", end, len(s))
		}
		return s[:end], nil
	}
	if end < 0 || end > len(s) {
		end = len(s)
	}
	if start > end {
		return "", fmt.Errorf("runtime error: slice bounds out of range [%d:%d]", start, end)
	}
	return s[start:end], nil
}

// decodeBase64 tolerates missing padding. Text that cannot be decoded gives the reason.
func decodeBase64(s string) string {
	enc := base64.StdEncoding
	if len(s)%4 != 0 && !strings.HasSuffix(s, "=") {
		enc = base64.RawStdEncoding
	}
	b, err := enc.DecodeString(s)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// maxCachedRegexes bounds the regexes that an execution keeps for the next one.
const maxCachedRegexes = 64

func (x *execution) regex(text string) (*regexp.Regexp, error) {
	if re := x.regexes[text]; re != nil {
		return re, nil
	}
	if err := x.charge(64 * len(text)); err != nil {
		return nil, err
	}
	text = strings.Clone(text)
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, err
	}
	if len(x.regexes) >= maxCachedRegexes {
		clear(x.regexes)
	}
	x.regexes[text] = re
	return re, nil
}

func (x *execution) regexReplaceAll(pattern, s, repl string) (string, error) {
	return x.regexReplace(pattern, s, repl, strings.Count(repl, "$"), (*regexp.Regexp).ReplaceAllString)
}

func (x *execution) regexReplaceAllLiteral(pattern, s, repl string) (string, error) {
	return x.regexReplace(pattern, s, repl, 0, (*regexp.Regexp).ReplaceAllLiteralString)
}

// regexReplace replaces if the result cannot become too long: each match is replaced by at most repl and, for every reference in
// it, the text of the match.
func (x *execution) regexReplace(pattern, s, repl string, references int, replace func(*regexp.Regexp, string, string) string) (string, error) {
	re, err := x.regex(pattern)
	if err != nil {
		return "", err
	}
	if err := x.charge(4 * len(s)); err != nil {
		return "", err
	}
	fixed := len(s) * (1 + references)
	if fixed > 4*maxTemplateOutput {
		return "", errTemplateOutput
	}
	if fixed+(len(s)+1)*len(repl) > 4*maxTemplateOutput {
		limit := maxTemplateOutput/len(repl) + 1
		if len(re.FindAllStringIndex(s, limit)) == limit {
			return "", errTemplateOutput
		}
	}
	return x.result(replace(re, s, repl))
}

func (x *execution) count(pattern, s string) (int, error) {
	re, err := x.regex(pattern)
	if err != nil {
		return 0, err
	}
	if err := x.charge(8 * len(s)); err != nil {
		return 0, err
	}
	return len(re.FindAllStringIndex(s, -1)), nil
}
