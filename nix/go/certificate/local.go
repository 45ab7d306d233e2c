package main

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"
)

const (
	day           = 24 * time.Hour
	authorityLife = 3650 * day
	// Less than the 825 days that Apple's systems allow a certificate of an authority that a user
	// added (https://support.apple.com/103769).
	localLife = 180 * day
)

// Names that nobody can have in the public DNS (RFC 2606, 6762, 8375; ICANN's ".internal"), and
// networks that are nobody's alone (RFC 1918, 3927, 4193, 4291, 6598).
var (
	homeNames    = []string{"localhost", "local", "home.arpa", "internal", "lan"}
	homeNetworks = []string{
		"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16",
		"127.0.0.0/8", "::1/128", "fc00::/7", "fe80::/10",
	}
)

// An authority vouches for names of one home. Its certificate says so, and devices that trust it
// hold it to that: whoever steals its key can't stand for a bank.
type authority struct {
	root *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte // its certificate alone
}

// localBundle is a certificate of the authority in a folder, which is made when there is none that
// may vouch for these names.
func localBundle(private string, names []string, now time.Time) (bundle, []byte, error) {
	path := filepath.Join(private, "authority.pem")
	own, err := readAuthority(path)
	if err != nil || !own.mayVouch(names) || now.After(own.root.NotAfter.Add(-2*localLife)) {
		if own, err = newAuthority(path, names, now); err != nil {
			return bundle{}, nil, err
		}
	}
	path = filepath.Join(private, "local.pem")
	if held := readBundle(path); held != nil && !held.due(now) && held.covers(names) && own.signed(held.leaf) {
		return *held, own.pem, nil
	}
	made, err := own.vouch(names, now)
	if err != nil {
		return bundle{}, nil, err
	}
	return made, own.pem, put(path, made.text, 0o600)
}

func readAuthority(path string) (authority, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return authority{}, err
	}
	key, err := parseKey(text)
	if err != nil {
		return authority{}, err
	}
	block, _ := pem.Decode(text)
	root, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return authority{}, err
	}
	return authority{root, key, pem.EncodeToMemory(block)}, nil
}

func newAuthority(path string, names []string, now time.Time) (authority, error) {
	key, keyText, err := newKey()
	if err != nil {
		return authority{}, err
	}
	dns, addresses := split(names)
	template := &x509.Certificate{
		SerialNumber:                serial(),
		Subject:                     pkix.Name{CommonName: fmt.Sprintf("Authority of %s, made %s", first(names), now.Format(time.DateOnly))},
		NotBefore:                   now.Add(-time.Hour),
		NotAfter:                    now.Add(authorityLife),
		IsCA:                        true,
		BasicConstraintsValid:       true,
		MaxPathLenZero:              true,
		KeyUsage:                    x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		PermittedDNSDomainsCritical: true,
		PermittedDNSDomains:         append(slices.Clone(homeNames), dns...),
		PermittedIPRanges:           networks(addresses),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return authority{}, err
	}
	// One that nobody can read must not take the place of one that devices trust.
	if _, err := x509.ParseCertificate(der); err != nil {
		return authority{}, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := put(path, append(slices.Clone(text), keyText...), 0o600); err != nil {
		return authority{}, err
	}
	return readAuthority(path)
}

// networks are a home's, and those of single addresses that are none of a home's.
func networks(addresses []net.IP) []*net.IPNet {
	var all []*net.IPNet
	for _, text := range homeNetworks {
		_, network, err := net.ParseCIDR(text)
		if err != nil {
			panic(err) // It is a constant.
		}
		all = append(all, network)
	}
	for _, one := range addresses {
		bits := 128
		if four := one.To4(); four != nil {
			one, bits = four, 32
		}
		if !slices.ContainsFunc(all, func(known *net.IPNet) bool { return known.Contains(one) }) {
			all = append(all, &net.IPNet{IP: one, Mask: net.CIDRMask(bits, bits)})
		}
	}
	return all
}

// mayVouch says whether its certificate allows it to vouch for these names.
func (a authority) mayVouch(names []string) bool {
	dns, addresses := split(names)
	for _, name := range dns {
		if !slices.ContainsFunc(a.root.PermittedDNSDomains, func(known string) bool {
			return name == known || len(name) > len(known) && name[len(name)-len(known)-1:] == "."+known
		}) {
			return false
		}
	}
	for _, one := range addresses {
		if !slices.ContainsFunc(a.root.PermittedIPRanges, func(known *net.IPNet) bool { return known.Contains(one) }) {
			return false
		}
	}
	return true
}

func (a authority) signed(leaf *x509.Certificate) bool { return leaf.CheckSignatureFrom(a.root) == nil }

// vouch makes a certificate for names.
func (a authority) vouch(names []string, now time.Time) (bundle, error) {
	key, keyText, err := newKey()
	if err != nil {
		return bundle{}, err
	}
	dns, addresses := split(names)
	template := &x509.Certificate{
		SerialNumber: serial(),
		Subject:      pkix.Name{CommonName: first(names)},
		DNSNames:     dns,
		IPAddresses:  addresses,
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(localLife),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.root, key.Public(), a.key)
	if err != nil {
		return bundle{}, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return parseBundle(append(append(text, a.pem...), keyText...))
}

func first(names []string) string {
	if len(names) == 0 {
		return "nobody"
	}
	return names[0]
}

// serial is 16 random bytes, the first of them small enough for a positive number (RFC 5280, 4.1.2.2).
func serial() *big.Int {
	number := make([]byte, 16)
	_, _ = rand.Read(number) // It never fails (crypto/rand).
	number[0] &= 0x7f
	return new(big.Int).SetBytes(number)
}
