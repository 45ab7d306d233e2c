package main

import (
	"bufio"
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-acme/lego/v4/certcrypto"
	"github.com/go-acme/lego/v4/certificate"
	"github.com/go-acme/lego/v4/challenge/dns01"
	"github.com/go-acme/lego/v4/challenge/http01"
	"github.com/go-acme/lego/v4/lego"
	"github.com/go-acme/lego/v4/registration"
	// The roots of Mozilla, for a machine that has none.
	_ "golang.org/x/crypto/x509roots/fallback"
)

const proofPort = "8402"

// An asker has a certificate of an authority that speaks ACME, as far as that gives one. It is asked
// beside everything else, since its answer may take minutes.
type asker struct {
	given   acmeSettings
	at      folders
	stderr  io.Writer
	tries   tries
	pending chan answer // of a question that was asked; nil for none
	told    bool        // this process has asked, or said until when it is not to
	obtain  func(acmeSettings, folders) ([]byte, error)
}

// An answer is a certificate with chain and key in PEM, or why there is none.
type answer struct {
	text []byte
	err  error
}

func newAsker(given acmeSettings, at folders, stderr io.Writer) *asker {
	made := &asker{given: given, at: at, stderr: stderr, obtain: obtain}
	made.tries = readTries(made.triesPath(), given)
	return made
}

// bundle is the newest one that there is, or nil; one is asked for when there is none, or when that
// is due.
func (a *asker) bundle(now time.Time) *bundle {
	if a.given.directory == "" || len(a.given.names) == 0 {
		return nil
	}
	a.hear(now)
	held := readBundle(a.path())
	if held != nil && (held.good(now) != nil || !held.covers(a.given.names)) {
		held = nil
	}
	a.tries = a.tries.capped(now)
	wanted := (held == nil || held.due(now)) && a.pending == nil
	if wanted && now.Before(a.tries.NotAgain) && !a.told {
		a.told = true // What the process before was told stands in its log alone.
		fmt.Fprintf(a.stderr, "certificate: %s brought none before (%d), and is not asked until %s\n",
			a.given.directory, a.tries.Failures, a.tries.NotAgain.UTC().Format(time.RFC3339))
	}
	if wanted && !now.Before(a.tries.NotAgain) {
		a.told = true
		// Whoever is ended before the answer may have failed as well.
		ahead, _ := a.tries.another(now)
		a.remember(ahead)
		a.pending = make(chan answer, 1)
		go func(came chan<- answer) {
			text, err := a.obtain(a.given, a.at)
			came <- answer{text, err}
		}(a.pending)
	}
	return held
}

// path is where the certificate of this authority is kept: another's is none of its.
func (a *asker) path() string {
	return filepath.Join(a.at.private, "acme-"+mark(a.given.directory)+".pem")
}

// triesPath is where it is kept what this authority was asked in vain.
func (a *asker) triesPath() string {
	return strings.TrimSuffix(a.path(), ".pem") + ".tries.json"
}

// remember keeps tries for the next process; without that they are remembered by this one.
func (a *asker) remember(made tries) {
	if err := made.put(a.triesPath()); err != nil {
		fmt.Fprintf(a.stderr, "certificate: after a restart %s is asked sooner: %v\n", a.given.directory, err)
	}
}

// mark stands for a text, such as an authority's address in the name of a file.
func mark(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:4])
}

// hear takes the answer, if it has come.
func (a *asker) hear(now time.Time) {
	var got answer
	select {
	case got = <-a.pending: // Nothing ever comes from none.
		a.pending = nil
	default:
		return
	}
	err := got.err
	if err == nil {
		_, err = parseBundle(got.text)
	}
	if err == nil {
		err = put(a.path(), got.text, 0o600)
	}
	if err == nil {
		a.tries = tries{Names: a.given.names, Settings: a.tries.Settings}
		a.remember(a.tries)
		return
	}
	var wait time.Duration
	a.tries, wait = a.tries.another(now)
	a.remember(a.tries)
	fmt.Fprintf(a.stderr, "certificate: none for %s from %s, again in %s: %s\n",
		strings.Join(a.given.names, ", "), a.given.directory, wait, a.given.hidden(strings.Join(strings.Fields(err.Error()), " ")))
}

// obtain asks the authority, and returns certificate, chain and key in PEM.
func obtain(given acmeSettings, at folders) ([]byte, error) {
	client, who, err := connect(given, at)
	if err != nil {
		return nil, err
	}
	if err := prove(client, given); err != nil {
		return nil, err
	}
	if who.registration, err = client.Registration.ResolveAccountByKey(); err != nil {
		options := registration.RegisterOptions{TermsOfServiceAgreed: true}
		if who.registration, err = client.Registration.Register(options); err != nil {
			return nil, err
		}
	}
	got, err := client.Certificate.Obtain(certificate.ObtainRequest{Domains: given.names, Bundle: true})
	if err != nil {
		return nil, err
	}
	return slices.Concat(got.Certificate, got.PrivateKey), nil
}

// An account with the authority (lego's registration.User).
type account struct {
	email        string
	key          crypto.PrivateKey
	registration *registration.Resource
}

func (a *account) GetEmail() string                        { return a.email }
func (a *account) GetRegistration() *registration.Resource { return a.registration }
func (a *account) GetPrivateKey() crypto.PrivateKey        { return a.key }

func connect(given acmeSettings, at folders) (*lego.Client, *account, error) {
	path := filepath.Join(at.private, "account-"+mark(given.directory)+".pem")
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		if _, text, err = newKey(); err == nil {
			err = put(path, text, 0o600)
		}
	}
	if err != nil {
		return nil, nil, err
	}
	key, err := parseKey(text)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	who := &account{email: given.email, key: key}
	config := lego.NewConfig(who)
	config.CADirURL = given.directory
	config.Certificate.KeyType = certcrypto.EC256
	client, err := lego.NewClient(config)
	return client, who, err
}

// prove says how names are proved.
func prove(client *lego.Client, given acmeSettings) error {
	if given.dns == "" {
		return client.Challenge.SetHTTP01Provider(http01.NewProviderServer("", proofPort))
	}
	if err := exportFile(given.dnsFile); err != nil {
		return err
	}
	provider, err := dnsProvider(given.dns)
	if err != nil {
		return err
	}
	var options []dns01.ChallengeOption
	if len(given.resolvers) > 0 {
		// Where they are named, the name's own servers can't be reached, or tell another story.
		options = append(options, dns01.AddRecursiveNameservers(given.resolvers), dns01.DisableAuthoritativeNssPropagationRequirement())
	}
	return client.Challenge.SetDNS01Provider(provider, options...)
}

// hidden is a text without the provider's settings: a client may repeat what it asked with.
func (s acmeSettings) hidden(text string) string {
	given, err := readLines(s.dnsFile)
	if err != nil {
		return text
	}
	for _, value := range given {
		for _, form := range []string{value, url.QueryEscape(value), url.PathEscape(value)} {
			if len(value) >= 8 {
				text = strings.ReplaceAll(text, form, "***")
			}
		}
	}
	return text
}

// exportFile takes lines NAME=VALUE into the environment, where a provider looks for its settings.
func exportFile(path string) error {
	given, err := readLines(path)
	if err != nil {
		return err
	}
	for name, value := range given {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	return nil
}

func readLines(path string) (map[string]string, error) {
	given := map[string]string{}
	if path == "" {
		return given, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, found := strings.Cut(line, "=")
		if !found {
			return nil, fmt.Errorf("%s: a line is not NAME=VALUE", path)
		}
		given[strings.TrimSpace(name)] = strings.TrimSpace(value)
	}
	return given, lines.Err()
}
