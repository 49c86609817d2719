package classic

import (
	"context"
	"fmt"
	"reflect"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/pickle"
)

// ObtainArray copies a numpy array: its numbers in the order of the last index changing fastest, and its shape. The
// element type must be T or one that T holds without loss, see pickle.Values.
func ObtainArray[T pickle.Number](ctx context.Context, o *netref.Object) (data []T, shape []int, err error) {
	a, err := Obtain[*pickle.Array](ctx, o)
	if err != nil {
		return nil, nil, err
	}
	data, err = pickle.Values[T](a)
	return data, a.Shape, err
}

// DeliverArray makes a numpy array at the server, which must have numpy, of numbers and a shape; without a shape it has
// one dimension. The numbers go as they are in memory, in one message.
func DeliverArray[T pickle.Number](ctx context.Context, c *Conn, data []T, shape ...int) (*netref.Object, error) {
	a, err := pickle.NewArray(data, shape...)
	if err != nil {
		return nil, err
	}
	return c.deliverObject(ctx, a)
}

// Frame is a copy of a pandas.DataFrame: columns of one type each. It is not changed once made and can be shared.
type Frame struct {
	// Columns are the names of the columns in their order, as str() gives them.
	Columns []string
	// Index holds the labels of the rows.
	Index *pickle.Array

	values map[string]*pickle.Array
}

// Len is the number of rows.
func (f *Frame) Len() int { return f.Index.Len() }

// Array returns a column as it was obtained; nil if there is none of that name, and the first one of several.
func (f *Frame) Array(column string) *pickle.Array { return f.values[column] }

// Column returns a column of a frame as a slice of T, converted item by item as netref.Assign does. Columns of dates
// are times in UTC; a missing number is NaN, another missing value None, which a pointer takes.
func Column[T any](f *Frame, name string) ([]T, error) {
	v, ok := f.values[name]
	if !ok {
		return nil, fmt.Errorf("classic: the frame has no column %q", name)
	}
	xs, err := netref.As[[]T](context.Background(), v)
	if err != nil {
		return nil, fmt.Errorf("classic: column %q: %w", name, err)
	}
	return xs, nil
}

// ObtainFrame copies a pandas.DataFrame, column by column. Dates with a time zone come in UTC.
func ObtainFrame(ctx context.Context, o *netref.Object) (*Frame, error) {
	f := &Frame{values: map[string]*pickle.Array{}}
	columns, err := netref.Get[*netref.Object](ctx, o, "columns")
	if err != nil {
		return nil, err
	}
	for name, err := range columns.BuffIter(ctx, nil) {
		if err != nil {
			return nil, err
		}
		text, ok := name.(string)
		if !ok {
			text = fmt.Sprint(name)
			if remote, isObject := name.(*netref.Object); isObject {
				if text, err = remote.Str(ctx); err != nil {
					return nil, err
				}
			}
		}
		f.Columns = append(f.Columns, text)
	}
	index, err := netref.Get[*netref.Object](ctx, o, "index")
	if err != nil {
		return nil, err
	}
	if f.Index, err = arrayOf(ctx, index); err != nil {
		return nil, fmt.Errorf("classic: index: %w", err)
	}
	places, err := netref.Get[*netref.Object](ctx, o, "iloc") // by position, because a name may be there twice
	if err != nil {
		return nil, err
	}
	for i, name := range f.Columns {
		column, err := netref.Item[*netref.Object](ctx, places, brine.Tuple{brine.Slice{}, int64(i)})
		if err != nil {
			return nil, err
		}
		values, err := arrayOf(ctx, column)
		if err != nil {
			return nil, fmt.Errorf("classic: column %q: %w", name, err)
		}
		if _, there := f.values[name]; !there {
			f.values[name] = values
		}
	}
	return f, nil
}

// Series is a column of a frame that is to be delivered: a slice under a name.
type Series struct {
	Name string
	// Data is a slice. Numbers go as they are in memory, everything else as Conn.Deliver sends it.
	Data any
}

// DeliverFrame makes a pandas.DataFrame at the server, which must have pandas, of columns of the same length.
func DeliverFrame(ctx context.Context, c *Conn, columns ...Series) (*netref.Object, error) {
	frame, err := c.Module(ctx, "pandas")
	if err != nil {
		return nil, err
	}
	data := new(pickle.Dict)
	for _, s := range columns {
		values, err := numbers(s.Data)
		if err != nil {
			return nil, fmt.Errorf("classic: column %q: %w", s.Name, err)
		}
		if _, there := data.Get(s.Name); there {
			return nil, fmt.Errorf("classic: there are two columns %q", s.Name)
		}
		if err := data.Set(s.Name, values); err != nil {
			return nil, err
		}
	}
	delivered, err := c.deliverObject(ctx, data)
	if err != nil {
		return nil, err
	}
	return netref.Call[*netref.Object](ctx, frame, "DataFrame", delivered)
}

// numbers makes an array of a slice of numbers, and leaves other slices as they are.
func numbers(v any) (any, error) {
	switch xs := v.(type) {
	case []bool:
		return pickle.NewArray(xs)
	case []int8:
		return pickle.NewArray(xs)
	case []int16:
		return pickle.NewArray(xs)
	case []int32:
		return pickle.NewArray(xs)
	case []int64:
		return pickle.NewArray(xs)
	case []int:
		wide := make([]int64, len(xs))
		for i, x := range xs {
			wide[i] = int64(x)
		}
		return pickle.NewArray(wide)
	case []uint8:
		return pickle.NewArray(xs)
	case []uint16:
		return pickle.NewArray(xs)
	case []uint32:
		return pickle.NewArray(xs)
	case []uint64:
		return pickle.NewArray(xs)
	case []float32:
		return pickle.NewArray(xs)
	case []float64:
		return pickle.NewArray(xs)
	}
	if reflect.ValueOf(v).Kind() != reflect.Slice {
		return nil, fmt.Errorf("a %T is no slice", v)
	}
	return v, nil
}

// arrayOf obtains the values of an index or a column.
func arrayOf(ctx context.Context, o *netref.Object) (*pickle.Array, error) {
	dtype, err := netref.Get[*netref.Object](ctx, o, "dtype")
	if err != nil {
		return nil, err
	}
	name, err := dtype.Str(ctx)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(name, "datetime64[") && strings.Contains(name, ",") {
		dates := o
		if o.ClassName() != "pandas.core.indexes.datetimes.DatetimeIndex" {
			if dates, err = netref.Get[*netref.Object](ctx, o, "dt"); err != nil {
				return nil, err
			}
		}
		if o, err = netref.Call[*netref.Object](ctx, dates, "tz_convert", nil); err != nil {
			return nil, err
		}
	}
	values, err := netref.Call[*netref.Object](ctx, o, "to_numpy")
	if err != nil {
		return nil, err
	}
	return Obtain[*pickle.Array](ctx, values)
}
