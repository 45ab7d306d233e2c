package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"
)

const limit = 3 * time.Second // for an answer of the lender's

// A loan is a set of borrowed sockets.
type loan struct {
	sockets []*os.File
	lenders []net.Conn // one ends when its lender does
}

// borrow asks each lender for a socket: all of them, or none.
func borrow(paths []string) (loan, error) {
	var lent loan
	for _, path := range paths {
		socket, lender, err := borrowOne(path)
		if err != nil {
			lent.closeSockets()
			lent.closeLenders()
			return loan{}, err
		}
		lent.sockets = append(lent.sockets, socket)
		lent.lenders = append(lent.lenders, lender)
	}
	return lent, nil
}

func borrowOne(path string) (*os.File, net.Conn, error) {
	connection, err := net.DialTimeout("unix", path, limit)
	if err != nil {
		return nil, nil, err
	}
	descriptor, err := receive(connection.(*net.UnixConn))
	if err != nil {
		connection.Close()
		return nil, nil, fmt.Errorf("%s lent nothing: %w", path, err)
	}
	return os.NewFile(uintptr(descriptor), "borrowed"), connection, nil
}

func receive(connection *net.UnixConn) (int, error) {
	if err := connection.SetDeadline(time.Now().Add(limit)); err != nil {
		return 0, err
	}
	text, rights := make([]byte, 1), make([]byte, syscall.CmsgSpace(4))
	_, length, _, _, err := connection.ReadMsgUnix(text, rights)
	if err != nil {
		return 0, err
	}
	messages, err := syscall.ParseSocketControlMessage(rights[:length])
	if err != nil || len(messages) != 1 {
		return 0, errors.New("no socket came")
	}
	descriptors, err := syscall.ParseUnixRights(&messages[0])
	if err != nil || len(descriptors) != 1 {
		return 0, errors.New("no socket came")
	}
	syscall.CloseOnExec(descriptors[0])
	return descriptors[0], connection.SetDeadline(time.Time{})
}

func (l loan) closeSockets() {
	for _, socket := range l.sockets {
		socket.Close()
	}
}

func (l loan) closeLenders() {
	for _, lender := range l.lenders {
		lender.Close()
	}
}

// gone returns a channel from which something comes once one of the lenders is.
func (l loan) gone() <-chan struct{} {
	gone := make(chan struct{}, len(l.lenders))
	for _, lender := range l.lenders {
		go func() {
			_, _ = lender.Read(make([]byte, 1))
			gone <- struct{}{}
		}()
	}
	return gone
}
