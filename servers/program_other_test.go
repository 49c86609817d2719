//go:build !unix

package servers_test

func testProgram() func() { return nil }
