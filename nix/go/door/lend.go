package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const limit = 3 * time.Second // for a lender's answer

// reusePort is SO_REUSEPORT of Linux, which package syscall does not name.
const reusePort = 15

// lend owns addresses: whoever connects to the Unix socket of one is sent a fresh TCP socket that is
// bound there, and knows by the end of that connection that the lender is gone. It returns once it is
// told to end.
func lend(places []place) error {
	var lenders []lender
	for _, one := range places {
		made, err := open(one)
		if err != nil {
			return err
		}
		defer made.close()
		lenders = append(lenders, made)
	}
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM, syscall.SIGINT)
	failed := make(chan error, len(lenders))
	for _, one := range lenders {
		go func() { failed <- one.accept() }()
	}
	select {
	case <-told:
		return nil
	case err := <-failed:
		return err
	}
}

// A lender holds an address and lends sockets for it.
type lender struct {
	where    syscall.SockaddrInet4
	held     int
	listener net.Listener
}

func open(one place) (lender, error) {
	where, err := parseAddress(one.address)
	if err != nil {
		return lender{}, err
	}
	// The first one shows at once whether the address can be had at all, and holds it: other
	// programs that ask for it are refused even while nobody listens.
	held, err := bound(where)
	if err != nil {
		return lender{}, err
	}
	// What an earlier lender left, which was ended without a word, refuses connections.
	if err := os.Remove(one.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return lender{}, err
	}
	listener, err := net.Listen("unix", one.path)
	if err != nil {
		return lender{}, err
	}
	return lender{where, held, listener}, os.Chmod(one.path, 0o600)
}

func (l lender) close() {
	l.listener.Close()
	syscall.Close(l.held)
}

func (l lender) accept() error {
	for {
		connection, err := l.listener.Accept()
		if err != nil {
			return err
		}
		go serve(connection.(*net.UnixConn), l.where)
	}
}

// serve sends one borrower its socket, and keeps the connection as long as the borrower does.
func serve(connection *net.UnixConn, where syscall.SockaddrInet4) {
	defer connection.Close()
	descriptor, err := bound(where)
	if err != nil {
		fmt.Fprintf(os.Stderr, "door: %v\n", err)
		return
	}
	_, _, err = connection.WriteMsgUnix([]byte{0}, syscall.UnixRights(descriptor), nil)
	syscall.Close(descriptor)
	if err != nil {
		return
	}
	_, _ = connection.Read(make([]byte, 1))
}

// parseAddress reads an IPv4 address and a port; without an address it is every one of the host.
func parseAddress(text string) (syscall.SockaddrInet4, error) {
	host, port, err := net.SplitHostPort(text)
	if err == nil && host == "" {
		text = net.JoinHostPort("0.0.0.0", port)
	}
	parsed, failed := netip.ParseAddrPort(text)
	if err != nil || failed != nil || !parsed.Addr().Is4() || parsed.Port() == 0 {
		return syscall.SockaddrInet4{}, fmt.Errorf("%q is not ADDRESS:PORT of IPv4", text)
	}
	return syscall.SockaddrInet4{Port: int(parsed.Port()), Addr: parsed.Addr().As4()}, nil
}

// bound makes a TCP socket that is bound to an address, but does not listen yet.
func bound(where syscall.SockaddrInet4) (int, error) {
	descriptor, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("no socket could be made: %w", err)
	}
	for _, option := range []int{syscall.SO_REUSEADDR, reusePort} {
		if err = syscall.SetsockoptInt(descriptor, syscall.SOL_SOCKET, option, 1); err != nil {
			break
		}
	}
	if err == nil {
		err = syscall.Bind(descriptor, &where)
	}
	if err != nil {
		syscall.Close(descriptor)
		return 0, fmt.Errorf("port %d could not be had: %w", where.Port, err)
	}
	return descriptor, nil
}

// check returns why nobody lends there, or nil. What is lent is closed by the kernel, as nobody takes
// it out of the message.
func check(path string) error {
	connection, err := net.DialTimeout("unix", path, limit)
	if err != nil {
		return err
	}
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(limit)); err != nil {
		return err
	}
	if _, err := connection.Read(make([]byte, 1)); err != nil {
		return fmt.Errorf("%s lent nothing: %w", path, err)
	}
	return nil
}
