// Command acl makes an access list for Redis out of a template and secrets, and becomes the program
// that reads it:
//
//	acl TEMPLATE SECRETS TARGET PROGRAM [ARGUMENT…]
//
// In the template a line that begins with # and an empty one say nothing, and an indented one goes
// on with the one before. A word password:NAME becomes "on" and the SHA-256 of the first line of the
// file NAME in the folder SECRETS, or "off" when that line is empty. Redis has neither, and keeps no
// password in the clear then
// (https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/).
//
// Exit codes: 1 it failed, with one sentence on stderr; 2 wrong usage; otherwise the program's.
package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

const usage = "usage: acl TEMPLATE SECRETS TARGET PROGRAM [ARGUMENT…]"

// marker begins a word that a secret's hash takes the place of.
const marker = "password:"

func main() {
	os.Exit(run(os.Args[1:], os.Stderr))
}

// run is main with its surroundings as arguments, and returns the exit code.
func run(words []string, stderr io.Writer) int {
	if len(words) < 4 {
		fmt.Fprintln(stderr, usage)
		return 2
	}
	err := write(words[0], words[1], words[2])
	if err == nil {
		err = syscall.Exec(words[3], words[3:], os.Environ())
	}
	fmt.Fprintf(stderr, "acl: %v\n", err)
	return 1
}

// write makes the access list.
func write(template, secrets, target string) error {
	text, err := os.ReadFile(template)
	if err != nil {
		return err
	}
	list, err := fill(string(text), func(name string) (string, error) {
		return hash(filepath.Join(secrets, name))
	})
	if err != nil {
		return err
	}
	return os.WriteFile(target, []byte(list), 0o600)
}

// fill makes the access list out of a template's text; rule gives what stands in place of a
// password.
func fill(text string, rule func(name string) (string, error)) (string, error) {
	var list strings.Builder
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
		for index, word := range words {
			if name, found := strings.CutPrefix(word, marker); found {
				made, err := rule(name)
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

// hash returns the rule for whoever knows the first line of a file.
func hash(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("a secret can't be read: %w", err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	if line == "" {
		return "off", nil
	}
	return fmt.Sprintf("on #%x", sha256.Sum256([]byte(line))), nil
}
