module github.com/gorpyc/gorpyc/observe/prom

go 1.25.0

require (
	github.com/VictoriaMetrics/metrics v1.45.0
	github.com/gorpyc/gorpyc v0.0.0-00010101000000-000000000000
	github.com/stretchr/testify v1.12.1
)

require (
	github.com/nlpodyssey/gopickle v0.2.0 // indirect
	github.com/valyala/fastrand v1.1.0 // indirect
	github.com/valyala/histogram v1.2.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/sys v0.47.0 // indirect
)

replace github.com/gorpyc/gorpyc => ../..
