package main

import (
	"context"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Shop sells things that have a price.
//
//rpyc:service
//rpyc:name shop.ShopService
//rpyc:alias shop
//rpyc:expose Item
type Shop struct {
	// Limit is how many items there can be.
	Limit int `rpyc:"limit,readonly"`

	mu    sync.Mutex
	items []*Item
}

func newShop() *Shop {
	return &Shop{Limit: 100, items: []*Item{{Name: "tea", Price: 2.5}, {Name: "pot", Price: 20}}}
}

// Item is a thing that can be bought.
//
//rpyc:class
//rpyc:name shop.Item
type Item struct {
	Name  string
	Price float64
}

// NewItem makes an item.
//
//rpyc:default price=1.0
func NewItem(name string, price float64) (*Item, error) {
	if price < 0 {
		return nil, vinegar.ValueError.New("a price cannot be negative")
	}
	return &Item{name, price}, nil
}

// Total is the price of some of them.
//
//rpyc:default count=1
//rpyc:kwonly discount
//rpyc:default discount=0.0
func (i *Item) Total(count int, discount float64) float64 {
	return float64(count) * i.Price * (1 - discount)
}

// PyRepr is what Python shows.
func (i *Item) PyRepr() string { return fmt.Sprintf("Item(%s)", i.Name) }

// AddItem adds an item and returns it.
//
//rpyc:default price=1.0
func (s *Shop) AddItem(name string, price float64) (*Item, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.items) >= s.Limit {
		return nil, vinegar.MemoryError.New("the shop is full")
	}
	item, err := NewItem(name, price)
	if err == nil {
		s.items = append(s.items, item)
	}
	return item, err
}

// PriceOf is the price of the item with a name, None if there is none.
func (s *Shop) PriceOf(itemName string) *float64 {
	for _, i := range s.all() {
		if i.Name == itemName {
			return &i.Price
		}
	}
	return nil
}

// Search finds the items whose names contain a text, cheapest first.
//
//rpyc:default text=''
//rpyc:posonly text
//rpyc:default limit=None
//rpyc:kwonly limit
func (s *Shop) Search(text string, limit *int) []*Item {
	var found []*Item
	for _, i := range s.all() {
		if strings.Contains(i.Name, text) {
			found = append(found, i)
		}
	}
	slices.SortStableFunc(found, func(a, b *Item) int { return int(math.Copysign(1, a.Price-b.Price)) })
	if limit != nil && *limit >= 0 && *limit < len(found) {
		found = found[:*limit]
	}
	return found
}

// Sell sells items by their names; options are printed on the bill.
func (s *Shop) Sell(customer string, names []string, options ...netref.Keyword) (string, error) {
	sum := 0.0
	for _, n := range names {
		price := s.PriceOf(n)
		if price == nil {
			return "", vinegar.KeyError.New(n)
		}
		sum += *price
	}
	bill := fmt.Sprintf("%s pays %.2f", customer, sum)
	for _, o := range options {
		bill += fmt.Sprintf(", %s=%v", o.Name, o.Value)
	}
	return bill, nil
}

// Prices gives prices by name.
func (s *Shop) Prices() map[string]float64 {
	prices := map[string]float64{}
	for _, i := range s.all() {
		prices[i.Name] = i.Price
	}
	return prices
}

// Names gives the names of the items, one after the other.
func (s *Shop) Names() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, i := range s.all() {
			if !yield(i.Name) {
				return
			}
		}
	}
}

// Reprice changes every price to what a function of the client's makes of it.
func (s *Shop) Reprice(ctx context.Context, change func(context.Context, float64) (float64, error)) error {
	for _, i := range s.all() {
		price, err := change(ctx, i.Price)
		if err != nil {
			return err
		}
		s.mu.Lock()
		i.Price = price
		s.mu.Unlock()
	}
	return nil
}

// Greatest is the greatest of some numbers.
func (*Shop) Greatest(first float64, others ...float64) float64 {
	return slices.Max(append(others, first))
}

// Audit is for other Go packages.
//
//rpyc:omit
func (s *Shop) Audit() int { return len(s.all()) }

func (s *Shop) all() []*Item {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.items)
}
