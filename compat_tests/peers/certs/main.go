// Command certs writes the certificates of a test into a directory: an authority's (ca.pem), those it has signed for a
// server and a client (server.pem, server.key, client.pem, client.key), and the same of another authority, in files
// that begin with "other-".
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: certs DIRECTORY")
		os.Exit(2)
	}
	for _, prefix := range []string{"", "other-"} {
		if err := authority(os.Args[1], prefix); err != nil {
			fmt.Fprintln(os.Stderr, "certs:", err)
			os.Exit(1)
		}
	}
}

// authority writes the files of one authority, whose names begin with prefix.
func authority(dir, prefix string) error {
	write := func(name, kind string, der []byte) error {
		return os.WriteFile(filepath.Join(dir, prefix+name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
	}
	ca := template(prefix+"authority", 1)
	ca.IsCA, ca.BasicConstraintsValid, ca.KeyUsage = true, true, x509.KeyUsageCertSign
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.CreateCertificate(rand.Reader, ca, ca, &key.PublicKey, key)
	if err != nil {
		return err
	}
	if ca, err = x509.ParseCertificate(der); err != nil {
		return err
	}
	if err := write("ca.pem", "CERTIFICATE", der); err != nil {
		return err
	}
	for i, name := range []string{"server", "client"} {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return err
		}
		cert := template(name, int64(2+i))
		cert.KeyUsage = x509.KeyUsageDigitalSignature
		if der, err = x509.CreateCertificate(rand.Reader, cert, ca, &k.PublicKey, key); err != nil {
			return err
		}
		if err := write(name+".pem", "CERTIFICATE", der); err != nil {
			return err
		}
		if der, err = x509.MarshalPKCS8PrivateKey(k); err != nil {
			return err
		}
		if err := write(name+".key", "PRIVATE KEY", der); err != nil {
			return err
		}
	}
	return nil
}

func template(name string, serial int64) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
}
