package protocol_test

type edgeDifference struct {
	ours string // outcomes, separated by "; "
	why  string
}

const stillAlive = `; REPLY 9999 "still alive?"`

const (
	ourWord     = "What has not the form of a request is a TypeError here, whatever Python trips over."
	countsAsOne = "Nothing that a peer sends for a call that does not exist can do harm, so it is not looked at."
)

// edgeDifferences lists the edge cases that come out otherwise than with upstream, with what comes of them here.
var edgeDifferences = map[string]edgeDifference{
	"args_not_pair/6.0.2":         {"builtins.TypeError" + stillAlive, ourWord},
	"request_pair_short/6.0.2":    {"builtins.TypeError" + stillAlive, ourWord},
	"local_ref_not_tuple/6.0.2":   {"builtins.TypeError" + stillAlive, ourWord},
	"inspect_via_local_ref/6.0.2": {"REPLY 0 +__main__.DemoService#1; builtins.TypeError" + stillAlive, ourWord},
	"remote_ref_short_pack/6.0.2": {"REPLY 0 +__main__.DemoService#1; builtins.TypeError" + stillAlive, ourWord},

	"exception_malformed/6.0.2": {"goes on with REPLY end? None", countsAsOne},
	"exception_malformed/5.3.1": {"goes on with REPLY end? None", countsAsOne},
	"exception_malformed/4.1.5": {"goes on with REPLY end? None", countsAsOne},

	"del_root_then_use/6.0.2": {
		"REPLY 0 +__main__.DemoService#1; REPLY 100 None; builtins.KeyError; REPLY 0 +__main__.DemoService#2" + stillAlive,
		"Ids are never used again, so an object that was given up and is handed out again has a new one.",
	},
	"del_count_negative/6.0.2": {
		"REPLY 0 +__main__.DemoService#1; REPLY 100 None; REPLY 101 None; builtins.KeyError; builtins.KeyError" + stillAlive,
		"A negative count would be references that the peer makes up; it is taken for none.",
	},
	"local_ref_float_ids/6.0.2": {
		"REPLY 0 +__main__.DemoService#1; builtins.KeyError" + stillAlive,
		"An id pack comes back as it was sent or is another one; equality of numbers across types is not looked for.",
	},
	"remote_ref_inspect_exception/6.0.2": {
		"REPLY 0 +__main__.DemoService#1; REPLY 100 -go.Thing#2" + stillAlive,
		"A handle is made without asking the peer, so there is no answer that could fail.",
	},
	"remote_ref_bytes_name/6.0.2": {
		"REPLY 0 +__main__.DemoService#1; REPLY 100 -#2; DEL (-#2, 1)" + stillAlive,
		"The name goes back as the bytes it was instead of as their repr.",
	},
	"remote_ref_none_name/6.0.2": {
		"REPLY 0 +__main__.DemoService#1; REPLY 100 -#2; DEL (-#2, 1)" + stillAlive,
		"The name goes back as the None it was instead of as text.",
	},
	"callback_answered_with_string_exc/6.0.2": {
		"REPLY 0 +__main__.DemoService#1; CALL (-builtins.function#2, (5), ()); rpyc.core.vinegar.GenericException" +
			stillAlive,
		"Go has no trouble raising what was a text; it is handed on as an exception of a class made for that.",
	},
	"callback_answered_custom_exc/6.0.2": {
		"REPLY 0 +__main__.DemoService#1; CALL (-builtins.function#2, (5), ()); main.GoError" + stillAlive,
		"The class keeps its name when it is handed on instead of growing with every hop.",
	},
}

// edgeSkipped lists the edge cases that cannot be run, with the reason.
var edgeSkipped = map[string]string{
	"remote_ref_instance_inspected_each/6.0.2": "The server adds an object of the probe to a number: Python knows from " +
		"INSPECT that it has no __add__, " +
		"we ask for it, and the probe has no answer.",
	"instancecheck_builtin_name/6.0.2": "Upstream sends a DEL for an object it was never given, which we do not imitate.",
}
