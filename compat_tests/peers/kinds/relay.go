package main

import "sync"

// kept holds what any client left for the others.
var kept sync.Map

// Keep keeps a value under a name, for every client to fetch.
func (k *Kinds) Keep(name string, v any) { kept.Store(name, v) }

// Kept returns what was kept under the name.
func (k *Kinds) Kept(name string) any {
	v, _ := kept.Load(name)
	return v
}

// Drop forgets what was kept under the name.
func (k *Kinds) Drop(name string) { kept.Delete(name) }
