package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestATemplateBecomesAList: comments go, lines are joined, passwords become hashes, none is off.
func TestATemplateBecomesAList(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("one", "abc\n")
	write("none", "\n")
	text := "# who\n\nuser a password:one -@all\n  +get ~x:*\n\n  (+set ~y)\nuser b password:none\n"
	var users []string
	list, err := fill(text, func(user, name string) (string, error) {
		users = append(users, user)
		return hash(filepath.Join(folder, name))
	})
	if err != nil {
		t.Fatal(err)
	}
	want := "user a on #ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad -@all " +
		"+get ~x:* (+set ~y)\nuser b off\n"
	if list != want {
		t.Errorf("made %q", list)
	}
	if strings.Join(users, " ") != "a b" {
		t.Errorf("asked for %q", users)
	}
}

// TestWhatWasValidBeforeIsSoBesides: until it goes; one that is empty lets nobody in.
func TestWhatWasValidBeforeIsSoBesides(t *testing.T) {
	path := filepath.Join(t.TempDir(), "one")
	for _, each := range []struct{ now, before, want string }{
		{"abc", "old", "on " + hashOf("abc") + " " + hashOf("old")},
		{"", "old", "on " + hashOf("old")},
		{"abc", "", "on " + hashOf("abc")},
		{"", "", "off"},
	} {
		for name, text := range map[string]string{path: each.now, path + before: each.before} {
			if err := os.WriteFile(name, []byte(text+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := hash(path); err != nil || got != each.want {
			t.Errorf("%+v gave %q, %v", each, got, err)
		}
	}
}

// TestAMissingSecretIsAnError: nobody is let in, or shut out, by accident.
func TestAMissingSecretIsAnError(t *testing.T) {
	if _, err := hash(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// TestWhatFailsIsSaid: one sentence, and an exit code of its own for wrong usage.
func TestWhatFailsIsSaid(t *testing.T) {
	folder := t.TempDir()
	template := filepath.Join(folder, "template")
	if err := os.WriteFile(template, []byte("user a password:none\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	if code := run([]string{template, folder, filepath.Join(folder, "list"), "/none"}, &said); code != 1 {
		t.Errorf("ended with %d", code)
	}
	if !strings.HasPrefix(said.String(), "acl: a secret can't be read: ") {
		t.Errorf("said %q", said.String())
	}
	if _, err := os.Stat(filepath.Join(folder, "list")); err == nil {
		t.Error("there is a list")
	}
	for _, words := range [][]string{{template}, {"reload", template, folder, "list"}, nil} {
		if code := run(words, &said); code != 2 {
			t.Errorf("%q ended with %d", words, code)
		}
	}
}
