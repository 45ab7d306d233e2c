package main

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"time"
)

// patience is how long the server may take for all of it.
const patience = 20 * time.Second

// tell has a running server let users in by these rules and no others
// (https://redis.io/docs/latest/commands/acl-setuser/). Who is connected stays so.
func tell(address, password string, rules []rule) error {
	connection, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		return err
	}
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	answers := bufio.NewReader(connection)
	if err := ask(connection, answers, "AUTH", reloader, password); err != nil {
		return err
	}
	for _, one := range rules {
		words := append([]string{"ACL", "SETUSER", one.user, "resetpass"}, one.words...)
		if err := ask(connection, answers, words...); err != nil {
			return fmt.Errorf("user %s: %w", one.user, err)
		}
	}
	return nil
}

// ask sends one command, and wants OK
// (https://redis.io/docs/latest/develop/reference/protocol-spec/).
func ask(connection net.Conn, answers *bufio.Reader, words ...string) error {
	var command strings.Builder
	fmt.Fprintf(&command, "*%d\r\n", len(words))
	for _, word := range words {
		fmt.Fprintf(&command, "$%d\r\n%s\r\n", len(word), word)
	}
	if _, err := connection.Write([]byte(command.String())); err != nil {
		return err
	}
	answer, err := answers.ReadString('\n')
	if err != nil {
		return err
	}
	if answer = strings.TrimSpace(answer); answer != "+OK" {
		return fmt.Errorf("%s answered %s", words[0], strings.TrimPrefix(answer, "-"))
	}
	return nil
}
