package measure

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every number belongs to a bucket whose start is at most 2 % below it.
func TestBuckets(t *testing.T) {
	for _, v := range []uint64{0, 1, 63, 64, 65, 127, 128, 1000, 123_456_789, math.MaxInt64} {
		start := bucketStart(bucket(v))
		require.LessOrEqual(t, start, v)
		require.Less(t, float64(v-start), float64(v)*0.02+1, "%d", v)
	}
	require.Less(t, bucket(math.MaxUint64), len(tally{}.buckets))
}
