"""The tests of RPyC's suite that pass with rpyc_classic.py and not with cmd/rpyc_classic, and why, by engine.

classic.py fails if one of them passes, and if one that is not here fails.
"""
CLIENT2 = ("the certificate has expired and nobody known has signed it: OpenSSL complains of the one, which the test "
           "expects, Go of the other; before it expired, this passed")
MINIDOM = "prints an element of xml.dom.minidom, a module that the Go engine does not have"

KNOWN = {
    "go": {
        "tests/test_attributes.py::TestAttributes::test_properties": "imports a file of the tests, which is Python",
        "tests/test_netref_hierachy.py::Test_Netref_Hierarchy::test_instancecheck_across_connections":
            "imports a file of the tests, which is Python",
        "tests/test_netref_hierachy.py::Test_Netref_Hierarchy::test_modules":
            "wants the module unittest, and its repr with the path of the file in the client's Python",
        "tests/test_refcount.py::TestRefcount::test_refcount": "defines a class, which eval and execute cannot",
        "tests/test_ssl.py::Test_SSL::test_client2": CLIENT2,
        "tests/test_threaded_server.py::Test_ThreadPoolServer::test_connection": MINIDOM,
        "tests/test_threaded_server.py::Test_ThreadedServer::test_connection": MINIDOM,
        "tests/test_threaded_server.py::Test_ThreadedServerOverUnixSocket::test_connection": MINIDOM,
    },
    "python3": {
        "tests/test_netref_hierachy.py::Test_Netref_Hierarchy::test_instancecheck_across_connections":
            "wants one class from two connections, each of which has a Python of its own",
        "tests/test_ssl.py::Test_SSL::test_client2": CLIENT2,
    },
}
