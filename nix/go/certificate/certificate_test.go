package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var (
	begin = time.Now()
	names = []string{"nas.local", "192.168.1.5"}
)

func newFolders(t *testing.T) folders { return folders{t.TempDir(), t.TempDir()} }

// verify returns why a device that trusts a root would not believe a certificate for a name.
func verify(served bundle, root []byte, name string, at time.Time) error {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(root)
	_, err := served.leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: name, CurrentTime: at})
	return err
}

func TestALocalCertificateIsBelievedForItsNamesAndKept(t *testing.T) {
	at := newFolders(t)
	first, root, err := localBundle(at.private, names, begin)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"nas.local", "192.168.1.5"} {
		if err := verify(first, root, name, begin); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if verify(first, root, "other.local", begin) == nil {
		t.Error("it is believed for another name")
	}
	again, _, err := localBundle(at.private, names, begin.Add(100*day))
	if err != nil || !bytes.Equal(again.text, first.text) {
		t.Errorf("it was made anew: %v", err)
	}
	entries, _ := os.ReadDir(at.private)
	for _, entry := range entries {
		if about, _ := entry.Info(); about.Mode().Perm() != 0o600 {
			t.Errorf("%s can be read by others: %v", entry.Name(), about.Mode())
		}
	}
}

func TestALocalCertificateIsRenewedByTheSameAuthority(t *testing.T) {
	at := newFolders(t)
	first, root, _ := localBundle(at.private, names, begin)
	for _, test := range []struct {
		names []string
		after time.Duration
	}{
		{names, 121 * day}, // two thirds of 180 days
		{append([]string{"lessons.home.arpa", "10.0.0.7"}, names...), 121 * day},
		{names, 200 * day},
	} {
		now := begin.Add(test.after)
		next, same, err := localBundle(at.private, test.names, now)
		if err != nil || bytes.Equal(next.text, first.text) {
			t.Errorf("%v after %v: not renewed: %v", test.names, test.after, err)
		}
		if !bytes.Equal(root, same) || verify(next, root, test.names[0], now) != nil {
			t.Errorf("%v: devices that trust the authority don't believe it", test.names)
		}
	}
}

func TestAnAuthorityCanNotStandForOthers(t *testing.T) {
	at := newFolders(t)
	_, root, _ := localBundle(at.private, names, begin)
	own, err := readAuthority(filepath.Join(at.private, "authority.pem"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"bank.example.com", "notnas.local.example.com", "8.8.8.8"} {
		forged, err := own.vouch([]string{name}, begin)
		if err != nil {
			t.Fatal(err)
		}
		if verify(forged, root, name, begin) == nil {
			t.Errorf("with a stolen key it vouches for %s", name)
		}
	}
}

func TestNamesThatItMayNotVouchForGetAnotherAuthority(t *testing.T) {
	at := newFolders(t)
	_, before, _ := localBundle(at.private, names, begin)
	wider := append([]string{"lessons.example.org", "203.0.113.9"}, names...)
	next, after, err := localBundle(at.private, wider, begin)
	if err != nil || bytes.Equal(before, after) {
		t.Fatalf("the authority stays: %v", err)
	}
	for _, name := range wider {
		if err := verify(next, after, name, begin); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, last, _ := localBundle(at.private, wider, begin.Add(authorityLife-300*day)); bytes.Equal(last, after) {
		t.Error("an authority that is about to end stays")
	}
}

func TestBrokenFilesAreMadeAnew(t *testing.T) {
	at := newFolders(t)
	for _, name := range []string{"authority.pem", "local.pem"} {
		if err := os.WriteFile(filepath.Join(at.private, name), []byte("-----BEGIN"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	made, root, err := localBundle(at.private, names, begin)
	if err != nil || verify(made, root, "nas.local", begin) != nil {
		t.Errorf("%v", err)
	}
}

func TestWhatIsSuppliedIsServedOrRefusedWithItsReason(t *testing.T) {
	at, path := newFolders(t), filepath.Join(t.TempDir(), "tls")
	other := newFolders(t)
	supplied, _, _ := localBundle(other.private, []string{"mine.example.org"}, begin)
	stranger, _, _ := localBundle(newFolders(t).private, names, begin)
	key := func(one bundle) string {
		return "-----BEGIN PRIVATE" + strings.SplitN(string(one.text), "-----BEGIN PRIVATE", 2)[1]
	}
	certificates := func(one bundle) string { return strings.SplitN(string(one.text), "-----BEGIN PRIVATE", 2)[0] }
	asked := newAsker(acmeSettings{}, at, os.Stderr)
	for _, test := range []struct{ text, says string }{
		{string(supplied.text), ""},
		{key(supplied) + certificates(supplied), ""},
		{certificates(supplied), "not a certificate with its key"},
		{certificates(supplied) + key(stranger), "not a certificate with its key"},
		{leafOf(supplied) + certificates(stranger) + key(supplied), "chain is not in order"},
		{"hunter2", "not a certificate with its key"},
	} {
		if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		given := settings{names: names, supplied: path}
		way, chosen, err := choose(given, at, asked)
		if test.says == "" {
			if err != nil || way != "supplied" || chosen.root != nil || serve(at.site, chosen) != nil {
				t.Errorf("%s: %v", way, err)
			}
			if err := check(given, at, begin, &bytes.Buffer{}); err != nil {
				t.Error(err)
			}
			continue
		}
		for _, err := range []error{err, check(given, at, begin, &bytes.Buffer{})} {
			if err == nil || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("it should say %q: %v", test.says, err)
			}
		}
	}
}

func leafOf(one bundle) string {
	return strings.SplitAfter(string(one.text), "-----END CERTIFICATE-----\n")[0]
}

func TestWhatIsServedChangesWithTheWay(t *testing.T) {
	at := newFolders(t)
	local, root, _ := localBundle(at.private, names, begin)
	if err := serve(at.site, made{local, root}); err != nil {
		t.Fatal(err)
	}
	if mode, _ := os.Stat(filepath.Join(at.site, "site.pem")); mode.Mode().Perm() != 0o600 {
		t.Errorf("others may read the key: %v", mode.Mode())
	}
	if mode, _ := os.Stat(filepath.Join(at.site, "root.pem")); mode.Mode().Perm() != 0o644 {
		t.Errorf("the root can't be read: %v", mode.Mode())
	}
	if err := serve(at.site, made{local, nil}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(at.site, "root.pem")); !os.IsNotExist(err) {
		t.Errorf("a root stays that nothing is signed by: %v", err)
	}
}

func TestTheCheckSaysUntilWhenAndWhyNot(t *testing.T) {
	at, given := newFolders(t), settings{names: names}
	if err := check(given, at, begin, &bytes.Buffer{}); err == nil {
		t.Error("nothing is good")
	}
	local, root, _ := localBundle(at.private, names, begin)
	_ = serve(at.site, made{local, root})
	var said bytes.Buffer
	if err := check(given, at, begin, &said); err != nil || !strings.Contains(said.String(), "nas.local") {
		t.Errorf("%v %q", err, said.String())
	}
	for after, says := range map[time.Duration]string{localLife + day: "has ended", -2 * day: "clock"} {
		if err := check(given, at, begin.Add(after), &said); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("after %v: %v", after, err)
		}
	}
}

func TestAnAuthorityIsAskedWhenItIsTimeAndNotTooOften(t *testing.T) {
	at := newFolders(t)
	names := []string{"lessons.example.org"}
	asked := newAsker(acmeSettings{directory: "https://ca.example/dir", names: names}, at, &bytes.Buffer{})
	count, broken, goOn := 0, true, make(chan bool)
	asked.obtain = func(acmeSettings, folders) ([]byte, error) {
		<-goOn
		if count++; broken {
			return nil, errors.New("no\nproof")
		}
		got, _, err := localBundle(t.TempDir(), names, begin)
		return got.text, err
	}
	ask := func(after time.Duration) *bundle { return asked.bundle(begin.Add(after)) }
	answered := func(after time.Duration) *bundle {
		goOn <- true
		for end := time.Now().Add(20 * time.Second); asked.pending != nil && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
			asked.hear(begin.Add(after))
		}
		return ask(after)
	}
	if ask(0) != nil || ask(time.Hour) != nil || count != 0 {
		t.Errorf("it waited for the answer, or asked twice: %d", count)
	}
	if answered(0) != nil || ask(29*time.Second) != nil || count != 1 {
		t.Errorf("after a failure it asked %d times", count)
	}
	broken = false
	ask(31 * time.Second)
	first := answered(31 * time.Second)
	if first == nil || count != 2 {
		t.Fatalf("it asked %d times", count)
	}
	if held := ask(100 * day); held == nil || !bytes.Equal(held.text, first.text) || asked.pending != nil {
		t.Errorf("what is good was not kept; it asked %d times", count)
	}
	broken = true
	ask(130 * day)
	if held := answered(130 * day); held == nil || count != 3 {
		t.Error("what is due is gone with the first failure")
	}
	if ask(181*day) != nil {
		t.Error("what has ended is served")
	}
	goOn <- true
	if said := asked.stderr.(*bytes.Buffer).String(); !strings.Contains(said, "no proof") || !strings.Contains(said, "again in 30s") {
		t.Errorf("it said %q", said)
	}
}

func TestARestartAsksNoSooner(t *testing.T) {
	at, dns := newFolders(t), filepath.Join(t.TempDir(), "dns")
	given := acmeSettings{directory: "https://ca.example/dir", names: []string{"lessons.example.org"}, dnsFile: dns}
	other := given
	other.names = []string{"other.example.org"}
	// start is a new process that looks once, and gets its answer when it has asked.
	start := func(given acmeSettings, after time.Duration, err error) (bool, string) {
		var said bytes.Buffer
		asked := newAsker(given, at, &said)
		asked.obtain = func(given acmeSettings, _ folders) ([]byte, error) {
			got, _, _ := localBundle(t.TempDir(), given.names, begin)
			return got.text, err
		}
		asked.bundle(begin.Add(after))
		was := asked.pending != nil
		for end := time.Now().Add(20 * time.Second); asked.pending != nil && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
			asked.hear(begin.Add(after))
		}
		return was, said.String()
	}
	no, changed := errors.New("no proof"), func() { _ = os.WriteFile(dns, []byte("TOKEN=other\n"), 0o600) }
	path := newAsker(given, at, io.Discard).triesPath()
	broken := func() { _ = os.WriteFile(path, []byte("{\"failures\": 3"), 0o600) }
	odd := func() { _ = os.WriteFile(path, []byte(`{"names": ["lessons.example.org"], "failures": -1}`), 0o600) }
	for number, test := range []struct {
		before func()
		given  acmeSettings
		after  time.Duration
		err    error
		asks   bool
		says   string
	}{
		{nil, given, 0, no, true, "again in 30s"},
		{nil, given, 29 * time.Second, no, false, "and is not asked until "},
		{nil, given, 31 * time.Second, no, true, "again in 2m0s"},
		{changed, given, 32 * time.Second, no, true, "again in 15m0s"},
		{nil, given, 15 * time.Minute, no, false, "and is not asked until "},
		{nil, given, 16 * time.Minute, no, true, "again in 1h0m0s"},
		{nil, given, 2 * time.Hour, no, true, "again in 6h0m0s"},
		{nil, given, 7 * time.Hour, no, false, "and is not asked until "},
		{nil, other, 7 * time.Hour, no, true, "again in 30s"},
		{nil, other, 8 * time.Hour, nil, true, ""},
		{nil, other, 122 * day, no, true, "again in 30s"},
		{broken, given, 122 * day, no, true, "again in 30s"},
		{odd, given, 122 * day, no, true, "again in 30s"},
	} {
		if test.before != nil {
			test.before()
		}
		asks, said := start(test.given, test.after, test.err)
		if asks != test.asks || !strings.Contains(said, test.says) || (test.says == "") != (said == "") {
			t.Errorf("%d: it asked: %v, and said %q", number, asks, said)
		}
	}
	if mode, _ := os.Stat(path); mode.Mode().Perm() != 0o600 {
		t.Errorf("others may read how it was asked: %v", mode.Mode())
	}
}

func TestWhoIsEndedBeforeTheAnswerHasAsked(t *testing.T) {
	at := newFolders(t)
	given := acmeSettings{directory: "https://ca.example/dir", names: []string{"lessons.example.org"}}
	for number, after := range []time.Duration{0, 31 * time.Second} {
		ended := newAsker(given, at, io.Discard)
		ended.obtain = func(acmeSettings, folders) ([]byte, error) { select {} }
		ended.bundle(begin.Add(after))
		next := newAsker(given, at, io.Discard)
		if next.bundle(begin.Add(after + 29*time.Second)); ended.pending == nil || next.pending != nil || next.tries.Failures != number+1 {
			t.Errorf("%d: its successor asked at once, after %d tries", number, next.tries.Failures)
		}
	}
}

func TestAClockThatWasAheadDoesNotHoldUpForEver(t *testing.T) {
	at := newFolders(t)
	given := acmeSettings{directory: "https://ca.example/dir", names: []string{"lessons.example.org"}}
	far := tries{given.names, given.mark(), 1, begin.Add(1000 * day)}
	if err := far.put(newAsker(given, at, io.Discard).triesPath()); err != nil {
		t.Fatal(err)
	}
	asked := newAsker(given, at, io.Discard)
	asked.obtain = func(acmeSettings, folders) ([]byte, error) { return nil, errors.New("no") }
	longest := waits[len(waits)-1]
	for _, after := range []time.Duration{0, time.Hour, longest - time.Second} {
		if asked.bundle(begin.Add(after)); asked.pending != nil {
			t.Errorf("it asked after %v", after)
		}
	}
	if asked.bundle(begin.Add(longest)); asked.pending == nil {
		t.Error("it waits for longer than the longest wait")
	}
}

func TestSettings(t *testing.T) {
	env := map[string]string{"CERTIFICATE_NAMES": " NAS.local, [fd00::7],10.0.0.1 ,nas.local.,"}
	given := readSettings(func(name string) string { return env[name] })
	if strings.Join(given.names, " ") != "nas.local fd00::7 10.0.0.1" {
		t.Errorf("%v", given.names)
	}
	dns, addresses := split(given.names)
	if len(dns) != 1 || len(addresses) != 2 || !addresses[0].Equal(net.ParseIP("fd00::7")) {
		t.Errorf("%v %v", dns, addresses)
	}
	env["ACME_NAMES"] = "Küche.example, ku\u0308che.example straße.example 집.example -ü.example _x.lan fd00::7"
	given = readSettings(func(name string) string { return env[name] })
	if strings.Join(given.acme.names, " ") != "xn--kche-0ra.example xn--strae-oqa.example xn--rc6b.example -ü.example _x.lan fd00::7" {
		t.Errorf("%v", given.acme.names)
	}
	if err := keep(context.Background(), settings{}, newFolders(t), &bytes.Buffer{}); err == nil {
		t.Error("it is for nobody")
	}
}

func TestAProvidersSettings(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dns")
	t.Setenv("DUCKDNS_TOKEN", "")
	if err := os.WriteFile(path, []byte("# mine\n\nDUCKDNS_TOKEN = x=y\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := exportFile(path); err != nil || os.Getenv("DUCKDNS_TOKEN") != "x=y" {
		t.Errorf("%v %q", err, os.Getenv("DUCKDNS_TOKEN"))
	}
	if _, err := dnsProvider("duckdns"); err != nil {
		t.Error(err)
	}
	if _, err := dnsProvider("route66"); err == nil || !strings.Contains(err.Error(), "duckdns") {
		t.Errorf("it should name those that are known: %v", err)
	}
	_ = os.WriteFile(path, []byte("secret\n"), 0o600)
	if err := exportFile(path); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("%v", err)
	}
}

func TestANameWithOtherLettersIsVouchedFor(t *testing.T) {
	names := list("küche.example,집.lan")
	made, root, err := localBundle(newFolders(t).private, names, begin)
	if err != nil || !made.covers(names) {
		t.Fatalf("%v: %v", names, err)
	}
	for _, name := range []string{"xn--kche-0ra.example", "xn--rc6b.lan"} {
		if err := verify(made, root, name, begin); err != nil {
			t.Error(err)
		}
	}
}

func TestAnAuthorityStaysWhenANameIsNone(t *testing.T) {
	at := newFolders(t)
	_, before, _ := localBundle(at.private, names, begin)
	for _, wrong := range []string{"lessons.münchen.de"} {
		if _, _, err := localBundle(at.private, append([]string{wrong}, names...), begin); err == nil {
			t.Errorf("%s is a name", wrong)
		}
	}
	if _, after, err := localBundle(at.private, names, begin); err != nil || !bytes.Equal(before, after) {
		t.Errorf("devices have to import another one: %v", err)
	}
}

func TestAnotherAuthorityIsAskedAnewAndSettingsAreNotRepeated(t *testing.T) {
	at, path := newFolders(t), filepath.Join(t.TempDir(), "dns")
	_ = os.WriteFile(path, []byte("TOKEN=hunter2+hunter2\nSHORT=a\n"), 0o600)
	one := newAsker(acmeSettings{directory: "https://one.example"}, at, io.Discard)
	other := newAsker(acmeSettings{directory: "https://other.example"}, at, io.Discard)
	if one.path() == other.path() {
		t.Error("the certificate of one is taken for the other's")
	}
	given := acmeSettings{dnsFile: path}
	if said := given.hidden("a url?t=hunter2%2Bhunter2 or hunter2+hunter2"); said != "a url?t=*** or ***" {
		t.Errorf("it said %q", said)
	}
}

func TestAnEndedOneThatIsSuppliedHoldsUpNobody(t *testing.T) {
	at, path := newFolders(t), filepath.Join(t.TempDir(), "tls")
	supplied, _, _ := localBundle(newFolders(t).private, names, begin)
	_ = os.WriteFile(path, supplied.text, 0o600)
	_ = serve(at.site, made{supplied, nil})
	if err := check(settings{names: names, supplied: path}, at, begin.Add(localLife+day), io.Discard); err != nil {
		t.Error(err)
	}
}

func TestWhoServesItIsBelieved(t *testing.T) {
	at := newFolders(t)
	local, root, _ := localBundle(at.private, names, time.Now())
	listener, err := tls.Listen("tcp4", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{local.whole}})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		if connection, err := listener.Accept(); err == nil {
			_ = connection.(*tls.Conn).Handshake()
		}
	}()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(root)
	connection, err := tls.Dial("tcp4", listener.Addr().String(), &tls.Config{RootCAs: roots, ServerName: "nas.local"})
	if err != nil {
		t.Fatal(err)
	}
	connection.Close()
}
