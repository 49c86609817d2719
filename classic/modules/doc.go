// Package modules implements modules of Python's standard library in Go, for classic servers on machines without
// Python: what a peer reaches as conn.modules.os or conn.builtins.open.
//
// Each connection has an [Interpreter] of its own: its modules, like those of a Python process, keep what clients set
// in them (sys.stdout, sys.path), and no client sees another's. What belongs to the process is shared by all: the
// current directory, the environment, the umask.
//
// A module has what its dir() lists and nothing else. Whatever is missing is an AttributeError (a module that is
// missing, a ModuleNotFoundError), so that a program notices; nothing is there that answers wrongly. Results and
// exceptions are those of CPython 3.11 on POSIX systems, and are compared with it by the compatibility tests.
//
//	module                      what it is for
//	builtins                    types, exceptions, functions; open, eval, exec, __import__
//	os, os.path                 files, directories, processes, the environment
//	sys                         streams, path, modules, platform
//	io                          open, StringIO, BytesIO
//	shutil glob fnmatch         trees of files, patterns
//	tempfile stat errno signal  temporary files, constants
//	subprocess                  run and Popen
//	time platform getpass       clocks, the machine, the user
//	socket                      names of hosts
//	json hashlib pickle         data
//	code                        interact: the remote prompt
//	importlib, importlib.util   what RPyC's clients ask for
//	rpyc.lib.compat             what RPyC's deliver asks for
//
// A program adds modules of its own with [Options.Modules].
package modules
