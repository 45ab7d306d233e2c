// Command acl makes an access list for Redis out of a template and secrets, and becomes the program
// that reads it:
//
//	acl TEMPLATE SECRETS TARGET PROGRAM [ARGUMENT…]
//
// or, once that runs, brings its list in line with secrets that have changed:
//
//	acl reload TEMPLATE SECRETS TARGET ADDRESS
//
// Connections that are open stay so. A user of its own does that, whose password is made at each
// start and lies beside the list.
//
// In the template a line that begins with # and an empty one say nothing, and an indented one goes
// on with the one before. A word password:NAME becomes "on" and the SHA-256 of the first line of the
// file NAME in the folder SECRETS, and of NAME.before where that is there, or "off" when both are
// empty. Redis has neither, and keeps no password in the clear then
// (https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/).
//
// Exit codes: 1 it failed, with one sentence on stderr; 2 wrong usage; otherwise the program's.
package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

const usage = "usage: acl TEMPLATE SECRETS TARGET PROGRAM [ARGUMENT…]\n" +
	"       acl reload TEMPLATE SECRETS TARGET ADDRESS"

const (
	// marker begins a word that a secret's hash takes the place of.
	marker = "password:"
	// before ends the name of a file with what was valid before.
	before = ".before"
	// reloader is the user that changes the list of a server that runs.
	reloader = "reload"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stderr))
}

// run is main with its surroundings as arguments, and returns the exit code.
func run(words []string, stderr io.Writer) int {
	var err error
	switch {
	case len(words) == 5 && words[0] == "reload":
		if err = reload(words[1], words[2], words[3], words[4]); err == nil {
			return 0
		}
	case len(words) >= 4 && words[0] != "reload":
		if err = start(words[0], words[1], words[2]); err == nil {
			err = syscall.Exec(words[3], words[3:], os.Environ())
		}
	default:
		fmt.Fprintln(stderr, usage)
		return 2
	}
	fmt.Fprintf(stderr, "acl: %v\n", err)
	return 1
}

// start makes the access list, and a password for who will change it.
func start(template, secrets, target string) error {
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		return err
	}
	password := hex.EncodeToString(secret)
	if err := os.WriteFile(passwordOf(target), []byte(password), 0o600); err != nil {
		return err
	}
	_, err := write(template, secrets, target, password)
	return err
}

// reload brings the list, and the server at an address, in line with the secrets.
func reload(template, secrets, target, address string) error {
	password, err := os.ReadFile(passwordOf(target))
	if err != nil {
		return err
	}
	rules, err := write(template, secrets, target, string(password))
	if err != nil {
		return err
	}
	return tell(address, string(password), rules)
}

// passwordOf is where the password lies of who changes a list.
func passwordOf(target string) string { return target + "." + reloader }

// rule is how a user of the list is let in.
type rule struct {
	user  string
	words []string
}

// write makes the access list, whole or not at all, and returns how users are let in.
func write(template, secrets, target, password string) ([]rule, error) {
	text, err := os.ReadFile(template)
	if err != nil {
		return nil, err
	}
	var rules []rule
	list, err := fill(string(text), func(user, name string) (string, error) {
		made, err := hash(filepath.Join(secrets, name))
		rules = append(rules, rule{user, strings.Fields(made)})
		return made, err
	})
	if err != nil {
		return nil, err
	}
	list += fmt.Sprintf("user %s on %s -@all +acl|setuser\n", reloader, hashOf(password))
	fresh := target + ".new"
	if err := os.WriteFile(fresh, []byte(list), 0o600); err != nil {
		return nil, err
	}
	return rules, os.Rename(fresh, target)
}

// fill makes the access list out of a template's text; rule gives what stands in place of a
// user's password.
func fill(text string, rule func(user, name string) (string, error)) (string, error) {
	var list strings.Builder
	var user string
	for _, line := range strings.Split(text, "\n") {
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(line, "#") {
			continue
		}
		switch {
		case list.Len() == 0:
		case strings.HasPrefix(line, " "):
			list.WriteString(" ")
		default:
			list.WriteString("\n")
		}
		if words[0] == "user" && len(words) > 1 {
			user = words[1]
		}
		for index, word := range words {
			if name, found := strings.CutPrefix(word, marker); found {
				made, err := rule(user, name)
				if err != nil {
					return "", err
				}
				words[index] = made
			}
		}
		list.WriteString(strings.Join(words, " "))
	}
	return list.String() + "\n", nil
}

// hash returns the rule for whoever knows the first line of a file, or of the one from before.
func hash(path string) (string, error) {
	line, err := firstLine(path)
	if err != nil {
		return "", fmt.Errorf("a secret can't be read: %w", err)
	}
	old, err := firstLine(path + before)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("a secret can't be read: %w", err)
	}
	words := []string{"on"}
	for _, one := range []string{line, old} {
		if one != "" {
			words = append(words, hashOf(one))
		}
	}
	if len(words) == 1 {
		return "off", nil
	}
	return strings.Join(words, " "), nil
}

// firstLine reads the first line of a file.
func firstLine(path string) (string, error) {
	text, err := os.ReadFile(path)
	line, _, _ := strings.Cut(string(text), "\n")
	return line, err
}

// hashOf is how Redis is told a password without being told it.
func hashOf(password string) string {
	return fmt.Sprintf("#%x", sha256.Sum256([]byte(password)))
}
