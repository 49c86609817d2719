package pickle_test

import (
	"context"
	"fmt"
	"time"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/pickle"
)

// What pickle.dumps({"name": "Ann", "scores": [1, 2]}) gives at protocol 0 becomes a struct.
func ExampleUnmarshal() {
	data := []byte("(dp0\nVname\np1\nVAnn\np2\nsVscores\np3\n(lp4\nI1\naI2\nas.")
	v, err := pickle.Unmarshal(data)
	if err != nil {
		fmt.Println(err)
		return
	}
	type player struct {
		Name   string
		Scores []int
	}
	p, err := netref.As[player](context.Background(), v)
	fmt.Println(p, err)

	// An attack is data, too.
	v, err = pickle.Unmarshal([]byte("cos\nsystem\n(Vrm -rf /\ntR."))
	fmt.Println(v, v.(*pickle.Object).Args, err)
	// Output:
	// {Ann [1 2]} <nil>
	// <pickled os.system> [rm -rf /] <nil>
}

func ExampleMarshal() {
	data, err := pickle.Marshal(map[string]any{"after": 90 * time.Second}, 4)
	if err != nil {
		fmt.Println(err)
		return
	}
	v, err := pickle.Unmarshal(data)
	if err != nil {
		fmt.Println(err)
		return
	}
	d, ok := v.(*pickle.Dict).Get("after")
	fmt.Println(d, ok)
	// Output: 1m30s true
}

func ExampleNewArray() {
	a, err := pickle.NewArray([]float64{1, 2, 3, 4, 5, 6}, 2, 3)
	if err != nil {
		fmt.Println(err)
		return
	}
	rows, err := netref.As[[][]float64](context.Background(), a)
	fmt.Println(a.DType, rows, err)
	// Output: <f8 [[1 2 3] [4 5 6]] <nil>
}
