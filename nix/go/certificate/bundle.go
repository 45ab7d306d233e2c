package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// A bundle is a certificate with its chain and key, as text and as what that means.
type bundle struct {
	text  []byte // PEM: the certificate, its chain, the key
	leaf  *x509.Certificate
	whole tls.Certificate
}

// parseBundle reads PEM, and returns why nobody could serve that.
func parseBundle(text []byte) (bundle, error) {
	whole, err := tls.X509KeyPair(text, text)
	if err != nil {
		return bundle{}, fmt.Errorf("it is not a certificate with its key, in PEM: %w", err)
	}
	for at := 1; at < len(whole.Certificate); at++ {
		one, err := x509.ParseCertificate(whole.Certificate[at-1])
		if err != nil {
			return bundle{}, err
		}
		next, err := x509.ParseCertificate(whole.Certificate[at])
		if err != nil {
			return bundle{}, err
		}
		if err := one.CheckSignatureFrom(next); err != nil {
			return bundle{}, fmt.Errorf("its chain is not in order: %q is not signed by %q, which comes next", one.Subject, next.Subject)
		}
	}
	return bundle{text, whole.Leaf, whole}, nil
}

// good returns why the certificate can't be used at a time, or nil.
func (b bundle) good(now time.Time) error {
	if now.After(b.leaf.NotAfter) {
		return fmt.Errorf("it has ended on %s", b.leaf.NotAfter.Format(time.DateOnly))
	}
	if now.Before(b.leaf.NotBefore) {
		return fmt.Errorf("it begins on %s only; is this machine's clock right?", b.leaf.NotBefore.Format(time.DateOnly))
	}
	return nil
}

// due says whether less than a third of its life is left.
func (b bundle) due(now time.Time) bool {
	life := b.leaf.NotAfter.Sub(b.leaf.NotBefore)
	return now.After(b.leaf.NotAfter.Add(-life/3)) || now.Before(b.leaf.NotBefore)
}

// covers says whether the certificate is for all of these names.
func (b bundle) covers(names []string) bool {
	for _, name := range names {
		if b.leaf.VerifyHostname(name) != nil {
			return false
		}
	}
	return true
}

// readBundle reads one from a file; none when there is no such file, or nothing good in it.
func readBundle(path string) *bundle {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	found, err := parseBundle(text)
	if err != nil {
		return nil
	}
	return &found
}

// newKey makes a key, and its PEM.
func newKey() (*ecdsa.PrivateKey, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	return key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// parseKey reads the key out of PEM that newKey made.
func parseKey(text []byte) (*ecdsa.PrivateKey, error) {
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return nil, errors.New("there is no key")
		}
		if block.Type == "PRIVATE KEY" {
			key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
			if err != nil {
				return nil, err
			}
			if own, is := key.(*ecdsa.PrivateKey); is {
				return own, nil
			}
			return nil, errors.New("the key is of another kind")
		}
	}
}

// put writes a file at once: who reads it finds the old content or the new.
func put(path string, content []byte, mode os.FileMode) error {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = file.Write(content)
	if err == nil {
		err = file.Chmod(mode)
	}
	if err == nil {
		err = file.Sync()
	}
	if failed := file.Close(); err == nil {
		err = failed
	}
	if err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}
