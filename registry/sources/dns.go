package sources

import (
	"cmp"
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/gorpyc/gorpyc/protocol"
)

// DNS looks servers up by a name, and again when the answer has become too old. Either Host or SRV is set.
type DNS struct {
	// Host is "name:port": each address that the name has, by an A or AAAA record, is a server. A host with both is two;
	// Family keeps them apart. The name is what certificates have to be good for.
	Host string
	// Family is "ip4" or "ip6" where Host's addresses of that kind only are meant; "" means both.
	Family string
	// SRV is the full name of SRV records, such as "_rpyc._tcp.example.org": each target is a server, with the record's
	// port, priority and weight (0 counts as 1). The target is what its certificate has to be good for.
	SRV string
	// Server is the name server to ask, "host:port"; "" means the system's.
	Server string
	// MinTTL and MaxTTL bound how soon is asked again, which the answer's TTL says; 0 means 5 s and 5 minutes. An answer
	// without a TTL, such as one from /etc/hosts, is good for 30 s.
	MinTTL, MaxTTL time.Duration
}

var _ protocol.Source = (*DNS)(nil)

// unknownTTL is how long an answer is good that says nothing about it.
const unknownTTL = 30 * time.Second

// Watch implements protocol.Source. A name that does not exist means that there are no servers, and is a failure, too;
// a name server that does not answer or says that it cannot is only a failure.
func (d *DNS) Watch(ctx context.Context, update func([]protocol.Address)) error {
	if (d.Host == "") == (d.SRV == "") {
		return errors.New("sources: DNS needs either Host or SRV")
	}
	err := poll(ctx, update, func() ([]protocol.Address, time.Duration, error) {
		var ttl ttls
		addrs, err := d.lookup(ctx, &net.Resolver{PreferGo: true, Dial: ttl.dialer(d.Server)})
		next, known := ttl.shortest()
		if !known {
			next = unknownTTL
		}
		return addrs, min(max(next, cmp.Or(d.MinTTL, 5*time.Second)), cmp.Or(d.MaxTTL, 5*time.Minute)), err
	})
	var answer *net.DNSError
	if !errors.As(err, &answer) {
		return err
	}
	if d.Server != "" {
		answer.Server = d.Server // the resolver believes to have asked the system's
	}
	if answer.IsNotFound && !answer.IsTemporary && ctx.Err() == nil {
		update(nil)
	}
	return err
}

func (d *DNS) lookup(ctx context.Context, r *net.Resolver) (addrs []protocol.Address, err error) {
	if d.SRV != "" {
		_, records, err := r.LookupSRV(ctx, "", "", d.SRV)
		for _, s := range records {
			host := strings.TrimSuffix(s.Target, ".")
			addrs = append(addrs, protocol.Address{
				Addr:   net.JoinHostPort(host, strconv.Itoa(int(s.Port))),
				Weight: int(s.Weight), Priority: int(s.Priority), ServerName: host,
			})
		}
		if len(addrs) > 0 {
			err = nil // some of the records were invalid
		}
		return addrs, err
	}
	host, port, err := net.SplitHostPort(d.Host)
	if err != nil {
		return nil, err
	}
	family := d.Family
	if family == "" {
		family = "ip"
	}
	ips, err := r.LookupNetIP(ctx, family, host)
	for _, ip := range ips {
		addrs = append(addrs, protocol.Address{Addr: net.JoinHostPort(ip.Unmap().String(), port),
			ServerName: strings.TrimSuffix(host, ".")})
	}
	return addrs, err
}
