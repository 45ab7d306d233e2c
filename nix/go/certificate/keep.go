package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

const tick = 5 * time.Second // between two looks at what there is

// folders are where the certificate stands, and what makes it.
type folders struct {
	site    string // site.pem and, of a local authority, root.pem
	private string // keys of the local authority and of the account with another
}

// A made certificate, and the root that has to be trusted for it when nobody does so far.
type made struct {
	bundle bundle
	root   []byte
}

// keep has a good certificate stand there until it is told to end.
func keep(told context.Context, given settings, at folders, stderr io.Writer) error {
	if len(given.names) == 0 {
		return errors.New("CERTIFICATE_NAMES is empty: for whom should it be?")
	}
	asked := newAsker(given.acme, at, stderr)
	said := ""
	for {
		way, now, err := choose(given, at, asked)
		if err == nil {
			err = serve(at.site, now)
		}
		line := way
		if err != nil {
			line = err.Error()
		} else {
			line = fmt.Sprintf("%s, for %s, until %s", way, first(namesOf(now.bundle)), now.bundle.leaf.NotAfter.Format(time.DateOnly))
		}
		if line != said {
			said = line
			fmt.Fprintf(stderr, "certificate: %s\n", line)
		}
		select {
		case <-told.Done():
			return nil
		case <-time.After(tick):
		}
	}
}

// choose is what should stand there now, and by which way.
func choose(given settings, at folders, asked *asker) (string, made, error) {
	now := time.Now()
	text, err := given.suppliedText()
	if err == nil && text != "" {
		var supplied bundle
		if supplied, err = parseBundle([]byte(text + "\n")); err == nil {
			return "supplied", made{supplied, nil}, nil
		}
		err = fmt.Errorf("what is supplied is not served: %w", err)
	}
	if err != nil {
		return "", made{}, err
	}
	if got := asked.bundle(now); got != nil {
		return "from " + given.acme.directory, made{*got, nil}, nil
	}
	local, root, err := localBundle(at.private, given.names, now)
	return "from the local authority", made{local, root}, err
}

// serve has it stand where the edge looks, with the root that devices have to trust, or without.
func serve(site string, one made) error {
	root := filepath.Join(site, "root.pem")
	if one.root == nil {
		if err := os.Remove(root); err != nil && !os.IsNotExist(err) {
			return err
		}
	} else if err := putChanged(root, one.root, 0o644); err != nil {
		return err
	}
	return putChanged(filepath.Join(site, "site.pem"), one.bundle.text, 0o600)
}

func putChanged(path string, content []byte, mode os.FileMode) error {
	if held, err := os.ReadFile(path); err == nil && bytes.Equal(held, content) {
		return nil
	}
	return put(path, content, mode)
}

func namesOf(one bundle) []string {
	names := append([]string{}, one.leaf.DNSNames...)
	for _, address := range one.leaf.IPAddresses {
		names = append(names, address.String())
	}
	return names
}

// check returns why what is served, or supplied, is not good; or nil, after a line about it.
func check(given settings, at folders, now time.Time, stdout io.Writer) error {
	text, err := given.suppliedText()
	if err != nil {
		return err
	}
	if text != "" {
		if _, err := parseBundle([]byte(text)); err != nil {
			return fmt.Errorf("what is supplied is not served: %w", err)
		}
	}
	content, err := os.ReadFile(filepath.Join(at.site, "site.pem"))
	if err != nil {
		return err
	}
	served, err := parseBundle(content)
	// One that somebody supplies has ended with his knowledge: status says so, and whatever else is
	// deployed must not wait for the next.
	if err == nil && text == "" {
		err = served.good(now)
	}
	if err != nil {
		return fmt.Errorf("what is served is not good: %w", err)
	}
	fmt.Fprintf(stdout, "%s, by %s, until %s\n", first(namesOf(served)), served.leaf.Issuer, served.leaf.NotAfter.Format(time.DateOnly))
	return nil
}
