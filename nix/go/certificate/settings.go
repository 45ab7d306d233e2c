package main

import (
	"net"
	"os"
	"slices"
	"strings"

	"golang.org/x/net/idna"
)

// settings are what the environment says.
type settings struct {
	names    []string // DNS names and IP addresses that the local authority vouches for
	supplied string   // file with a certificate that somebody supplies; it may be absent or empty
	acme     acmeSettings
}

// acmeSettings are how an authority that speaks ACME is asked.
type acmeSettings struct {
	directory string   // its address; empty for none
	names     []string // DNS names
	email     string   // told to the authority; may be empty
	dns       string   // provider of DNS-01; empty for HTTP-01
	dnsFile   string   // file with its settings
	resolvers []string // name servers that are asked for the proof; the system's when there are none
}

func readSettings(env func(string) string) settings {
	return settings{
		names:    list(env("CERTIFICATE_NAMES")),
		supplied: env("CERTIFICATE_FILE"),
		acme: acmeSettings{
			directory: env("ACME_DIRECTORY"),
			names:     list(env("ACME_NAMES")),
			email:     env("ACME_EMAIL"),
			dns:       env("ACME_DNS"),
			dnsFile:   env("ACME_DNS_FILE"),
			resolvers: strings.Fields(env("ACME_DNS_RESOLVERS")),
		},
	}
}

// list reads names between commas or blanks, each once; an IPv6 address may stand in brackets. Letters
// beyond ASCII become what the DNS and certificates have for them (RFC 5890, 2.3.2.1); what can't be a
// name stays as it is, for whoever is asked to vouch for it to refuse.
func list(text string) []string {
	var names []string
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(", \t\n", r) }) {
		word = strings.TrimRight(strings.ToLower(strings.Trim(word, "[]")), ".")
		if label, err := idna.Lookup.ToASCII(word); err == nil {
			word = label
		}
		if word != "" && !slices.Contains(names, word) {
			names = append(names, word)
		}
	}
	return names
}

// split tells IP addresses from DNS names.
func split(names []string) ([]string, []net.IP) {
	var dns []string
	var addresses []net.IP
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			addresses = append(addresses, ip)
		} else {
			dns = append(dns, name)
		}
	}
	return dns, addresses
}

// suppliedText is what somebody supplied; empty for nothing.
func (s settings) suppliedText() (string, error) {
	if s.supplied == "" {
		return "", nil
	}
	content, err := os.ReadFile(s.supplied)
	if os.IsNotExist(err) {
		return "", nil
	}
	return strings.TrimSpace(string(content)), err
}
