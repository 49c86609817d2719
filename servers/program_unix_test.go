//go:build unix

package servers_test

import "os"

// testProgram is what the test binary is in place of a test: it is started as the other process that tests need.
func testProgram() func() {
	for env, role := range map[string]func(string){
		forkEnv: func(string) { forkingProgram() }, listenerEnv: listenerProgram,
		stdioEnv: stdioProgram, herdEnv: herdProgram, lastingEnv: lastingProgram,
	} {
		if value := os.Getenv(env); value != "" {
			return func() { role(value) }
		}
	}
	return nil
}
