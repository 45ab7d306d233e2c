package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// An order is a line of commands for the admin socket of a HAProxy.
type order struct {
	socket   string // an absolute path
	commands string // separated by semicolons
}

// parseOrder checks a socket's path and the commands for it. HAProxy reads one line, and takes a
// second one for the payload of the first.
func parseOrder(socket, commands string) (order, error) {
	if !strings.HasPrefix(socket, "/") {
		return order{}, fmt.Errorf("%q is not the absolute path of a socket", socket)
	}
	if strings.TrimSpace(commands) == "" || strings.ContainsAny(commands, "\r\n\x00") {
		return order{}, fmt.Errorf("%q is not one line of commands", commands)
	}
	return order{socket, commands}, nil
}

// send carries the commands to the socket and copies the answers, and returns why the last of them
// is not there, or nil. HAProxy closes the connection when it has answered.
func (o order) send(deadline time.Time, answers io.Writer) error {
	connection, err := dial("unix", o.socket, deadline)
	if err != nil {
		return err
	}
	defer connection.Close()
	if _, err := io.WriteString(connection, o.commands+"\n"); err != nil {
		return err
	}
	answer, err := io.ReadAll(connection)
	if _, failed := answers.Write(answer); failed != nil {
		return failed
	}
	if err != nil {
		return err
	}
	if !bytes.HasSuffix(answer, []byte("\n\n")) && string(answer) != "\n" {
		return fmt.Errorf("it closed the connection before the end of an answer")
	}
	return nil
}

// dial connects to an address, and bounds all that is said there by the deadline.
func dial(network, address string, deadline time.Time) (net.Conn, error) {
	connection, err := (&net.Dialer{Deadline: deadline}).Dial(network, address)
	if err != nil {
		return nil, err
	}
	return connection, connection.SetDeadline(deadline)
}
