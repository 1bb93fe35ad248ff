package pipeline

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
)

// ipMatcher finds an address of a set in a text: ip("192.168.0.0/16"). The set is an address, a CIDR prefix, or an inclusive
// range. IPv4 and IPv6 are kept apart, also for IPv4-mapped addresses.
type ipMatcher struct {
	from, to netip.Addr
}

func newIPMatcher(pattern string) (*ipMatcher, error) {
	m := &ipMatcher{}
	bad := fmt.Errorf("ip: invalid pattern: %q", pattern)
	if from, to, ok := strings.Cut(pattern, "-"); ok {
		var err1, err2 error
		m.from, err1 = netip.ParseAddr(from)
		m.to, err2 = netip.ParseAddr(to)
		if err1 != nil || err2 != nil || m.from.Is4() != m.to.Is4() || m.to.Less(m.from) {
			return nil, bad
		}
	} else if strings.Contains(pattern, "/") {
		p, err := netip.ParsePrefix(pattern)
		if err != nil {
			return nil, bad
		}
		p = p.Masked()
		m.from, m.to = p.Addr(), lastAddr(p)
	} else {
		a, err := netip.ParseAddr(pattern)
		if err != nil {
			return nil, bad
		}
		m.from, m.to = a, a
	}
	m.from, m.to = m.from.WithZone(""), m.to.WithZone("")
	return m, nil
}

func lastAddr(p netip.Prefix) netip.Addr {
	b := p.Addr().As16()
	bits := p.Bits()
	if p.Addr().Is4() {
		bits += 96
	}
	for i := bits; i < 128; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	a := netip.AddrFrom16(b)
	if p.Addr().Is4() {
		return a.Unmap()
	}
	return a
}

var (
	dot   = []byte(".")
	colon = []byte(":")
)

// maxAddrLen is longer than any text of an address.
const maxAddrLen = 64

func (m *ipMatcher) match(line []byte) bool {
	if m.from.Is4() && bytes.Count(line, dot) < 3 || !m.from.Is4() && bytes.Count(line, colon) < 2 {
		return false
	}
	for i := 0; i < len(line); {
		end := i
		switch {
		case startsIPv4(line[i:]):
			for end < len(line) && (isDigit(line[end]) || line[end] == '.') {
				end++
			}
		case startsIPv6(line[i:]):
			for end < len(line) && (isHex(line[end]) || line[end] == ':' || line[end] == '.') {
				end++
			}
		default:
			i++
			continue
		}
		if m.contains(line[i:end]) {
			return true
		}
		i = end + 1
	}
	return false
}

func (m *ipMatcher) contains(text []byte) bool {
	var a netip.Addr
	if m.from.Is4() {
		ip, ok := parseIPv4(text)
		if !ok {
			return false
		}
		a = netip.AddrFrom4(ip)
	} else {
		if len(text) > maxAddrLen || bytes.Count(text, colon) < 2 {
			return false
		}
		var err error
		if a, err = netip.ParseAddr(viewString(text)); err != nil || a.Is4() {
			return false
		}
	}
	return m.from.Compare(a) <= 0 && a.Compare(m.to) <= 0
}

// parseIPv4 reads four numbers up to 255 without leading zeros.
func parseIPv4(text []byte) (ip [4]byte, ok bool) {
	octet, digits, n := 0, 0, 0
	for _, c := range text {
		switch {
		case isDigit(c) && (digits == 0 || octet > 0):
			octet = octet*10 + int(c-'0')
			if digits++; octet > 255 {
				return ip, false
			}
		case c == '.' && digits > 0 && n < 3:
			ip[n] = byte(octet)
			n++
			octet, digits = 0, 0
		default:
			return ip, false
		}
	}
	ip[3] = byte(octet)
	return ip, n == 3 && digits > 0
}

func startsIPv4(b []byte) bool {
	if !isDigit(b[0]) {
		return false
	}
	for i := 1; i < len(b) && i <= 3; i++ {
		if b[i] == '.' {
			return true
		}
	}
	return false
}

func startsIPv6(b []byte) bool {
	if b[0] == ':' {
		return len(b) > 2 && b[1] == ':' && isHex(b[2])
	}
	for i := 0; i < len(b) && i <= 4; i++ {
		if b[i] == ':' {
			return i > 0
		}
		if !isHex(b[i]) {
			return false
		}
	}
	return false
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isHex(c byte) bool {
	return isDigit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}
