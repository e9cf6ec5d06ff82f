import Testing
import WeirWire

@testable import WeirRelay

@Suite("Filters of destinations")
struct DestinationFilterTests {
    private static func chooses(
        _ filter: String,
        _ transport: Transport,
        _ destination: String,
        _ names: [String] = []
    ) throws -> Bool {
        let endpoint = try #require(Endpoint(destination), "\(destination)")
        return try DestinationFilter(parsing: filter).matches(transport, endpoint, names: names)
    }

    @Test(
        "A filter chooses by transport, port and address",
        arguments: [
            ("tcp", .tcp, "10.0.0.1:443", true), ("tcp", .udp, "10.0.0.1:443", false),
            ("udp:53", .udp, "[2001:db8::1]:53", true), ("udp:53", .tcp, "10.0.0.1:53", false),
            ("udp:53", .udp, "10.0.0.1:54", false), ("5432", .tcp, "10.0.0.1:5432", true),
            ("5432", .udp, "[::1]:5432", true), ("5432", .tcp, "10.0.0.1:5433", false),
            (":5432", .tcp, "10.0.0.1:5432", true), ("tcp:5432", .tcp, "10.0.0.1:5432", true),
            ("8000-8100", .tcp, "10.0.0.1:7999", false), ("8000-8100", .tcp, "10.0.0.1:8000", true),
            ("8000-8100", .tcp, "10.0.0.1:8100", true), ("8000-8100", .tcp, "10.0.0.1:8101", false),
            ("1", .tcp, "10.0.0.1:1", true), ("65535", .tcp, "10.0.0.1:65535", true),
            ("tcp:10.0.0.1:443", .tcp, "10.0.0.1:443", true), ("tcp:10.0.0.1:443", .tcp, "10.0.0.2:443", false),
            ("tcp:10.0.0.1:443", .tcp, "10.0.0.1:444", false), ("10.0.0.1", .udp, "10.0.0.1:9", true),
            ("10.0.0.1:80-90", .tcp, "10.0.0.1:85", true), ("10.0.0.1:80-90", .tcp, "10.0.0.1:91", false),
            ("[::1]:8000", .tcp, "[::1]:8000", true), ("[::1]:8000", .tcp, "127.0.0.1:8000", false),
            ("::1", .tcp, "[::1]:1", true), ("udp:::1", .udp, "[::1]:1", true), ("[::1]", .tcp, "[::1]:1", true),
            ("*", .udp, "10.0.0.1:9", true), ("*:443", .tcp, "[::1]:443", true), ("*:443", .tcp, "[::1]:44", false),
        ] as [(String, Transport, String, Bool)]
    )
    func choices(filter: String, transport: Transport, destination: String, isChosen: Bool) throws {
        #expect(try Self.chooses(filter, transport, destination) == isChosen)
    }

    @Test(
        "A range of addresses has a prefix of any length; IPv4-mapped addresses are the IPv4 ones",
        arguments: [
            ("10.0.0.0/8", "10.255.255.255:1", true), ("10.0.0.0/8", "11.0.0.0:1", false),
            ("10.0.0.0/8", "9.255.255.255:1", false), ("10.0.0.0/8", "[::ffff:10.1.2.3]:1", true),
            ("0.0.0.0/0", "255.1.2.3:1", true), ("0.0.0.0/0", "[::1]:1", false), ("10.0.0.1/32", "10.0.0.1:1", true),
            ("10.0.0.1/32", "10.0.0.0:1", false), ("::/0", "[ff02::1]:1", true), ("::/0", "10.0.0.1:1", false),
            ("[fd00::]/8", "[fdff::1]:1", true), ("fd00::/8", "[fdff::1]:1", true), ("fd00::/8", "[fe00::1]:1", false),
            ("fd00::/8:443", "[fd00::1]:443", true), ("fd00::/8:443", "[fd00::1]:444", false),
            ("[fd00::]/8:443", "[fd00::1]:443", true), ("[fd00::]/8:443", "[fd00::1]:444", false),
            ("fd00::1/128", "[fd00::1]:1", true), ("fd00::1/128", "[fd00::2]:1", false),
            ("10.0.0.0/8:80-90", "10.9.9.9:90", true), ("10.0.0.0/8:80-90", "10.9.9.9:79", false),
            ("::ffff:10.0.0.1", "10.0.0.1:1", true), ("::ffff:10.0.0.0/104", "10.0.0.1:1", true),
            ("::ffff:10.0.0.0/104", "11.0.0.1:1", false), ("10.0.0.1", "[::ffff:10.0.0.1]:1", true),
            ("127.0.0.1", "0.0.0.0:1", true), ("::1", "[::]:1", true), ("0.0.0.0", "127.0.0.1:1", true),
            ("fe80::1%2", "[fe80::1%2]:1", true), ("fe80::1%2", "[fe80::1%3]:1", false),
            ("fe80::1", "[fe80::1%3]:1", true), ("fe80::/10", "[fe80::1%3]:1", true),
        ]
    )
    func ranges(filter: String, destination: String, isChosen: Bool) throws {
        #expect(try Self.chooses(filter, .tcp, destination) == isChosen)
    }

    @Test(
        "A name is one of those that are known for the address, in any case; near misses are not",
        arguments: [
            ("example.com", ["example.com"], true), ("example.com", ["EXAMPLE.com."], true),
            ("Example.COM.", ["example.com"], true), ("example.com", [], false),
            ("example.com", ["other.org", "example.com"], true), ("example.com", ["www.example.com"], false),
            ("example.com", ["example.com.evil.org"], false), ("example.com", ["xexample.com"], false),
            ("*.example.com", ["www.example.com"], true), ("*.example.com", ["a.b.Example.Com"], true),
            ("*.example.com", ["xexample.com"], false), ("*.example.com", ["example.com"], false),
            ("*.example.com", [".example.com"], false), ("*.example.com", ["www.example.com.org"], false),
            ("sctp", ["sctp"], true), ("db", ["db"], true), ("db", ["db.local"], false), ("tcp:db:9", ["db"], true),
            ("db:8", ["db"], false),
            ("localhost", ["localhost"], true), ("localhost", ["evillocalhost"], false), ("localhost", [], false),
        ] as [(String, [String], Bool)]
    )
    func names(filter: String, names: [String], isChosen: Bool) throws {
        #expect(try Self.chooses(filter, .tcp, "192.0.2.1:9", names) == isChosen)
    }

    @Test(
        "localhost is every loopback address, and no name that only looks so is",
        arguments: ["127.0.0.1:9", "127.255.0.3:9", "[::1]:9", "[::ffff:127.0.0.1]:9", "0.0.0.0:9", "[::]:9"]
    )
    func localhost(destination: String) throws {
        #expect(try Self.chooses("localhost", .tcp, destination))
        #expect(try Self.chooses("LOCALHOST:9", .tcp, destination))
        for filter in ["evillocalhost", "localhost.evil", "*.localhost", "localhost:8"] {
            #expect(try !Self.chooses(filter, .tcp, destination))
        }
    }

    @Test(
        "What is wrong is told, and where",
        arguments: [
            ("", "it is empty"), ("tcp:", "nothing follows 'tcp:'"), ("TCP", "'TCP' is written in lower case: tcp"),
            ("Udp:53", "'Udp' is written in lower case: udp"), ("0", "'0' is no port from 1 to 65535"),
            ("udp:0", "'0' is no port from 1 to 65535"), ("65536", "'65536' is no port from 1 to 65535"),
            ("99999999999999999999", "'99999999999999999999' is no port from 1 to 65535"),
            ("db:", "'' is no port from 1 to 65535"), ("db:x", "'x' is no port from 1 to 65535"),
            ("8000-", "'' is no port from 1 to 65535, in the ports '8000-'"),
            ("-8100", "'' is no port from 1 to 65535, in the ports '-8100'"),
            ("1-2-3", "'2-3' is no port from 1 to 65535, in the ports '1-2-3'"),
            ("8100-8000", "the ports '8100-8000' run backwards"), ("0-9", "'0' is no port from 1 to 65535"),
            ("10.0.0.0/33", "the prefix '33' is no number from 0 to 32"),
            ("10.0.0.0/", "the prefix '' is no number from 0 to 32"),
            ("10.0.0.0/+8", "the prefix '+8' is no number from 0 to 32"),
            ("10.0.0.0/-1", "the prefix '-1' is no number from 0 to 32"),
            ("fd00::/129", "the prefix '129' is no number from 0 to 128"),
            ("[fd00::]/129:1", "the prefix '129' is no number from 0 to 128"),
            ("example.com/8", "'example.com' before '/' is no address"), ("10.0.0", "'10.0.0' is neither an address"),
            ("10.0.0.256", "'10.0.0.256' is neither an address nor a host name"),
            ("a b", "'a b' is neither an address nor a host name"), ("*x", "; '*' stands alone, or first as in *.exa"),
            ("a.*.b", "; '*' stands alone, or first as in *.example.com"), ("*.", "'*.' is neither an address"),
            ("sctp:10.0.0.1:80", "'sctp' is not relayed, only tcp and udp are"),
            ("SCTP:80", "'SCTP' is not relayed"), ("icmp:", "'icmp' is not relayed"),
            ("x:10.0.0.1:80", "'x:10.0.0.1:80' is no IPv6 address; write one in brackets before a port"),
            ("\(String(repeating: "a", count: 64)).org", "is neither an address nor a host name"),
            ("[10.0.0.1]:80", "'[10.0.0.1]' is no IPv6 address"), ("[::1:80", "'[::1:80' is no IPv6 address"),
            ("fe80::1%nosuchzone0", "this machine has no interface 'nosuchzone0'"),
        ]
    )
    func refuses(text: String, problem: String) {
        #expect {
            _ = try DestinationFilter(parsing: text)
        } throws: { error in
            let message = "\(error)"
            return message.hasPrefix("'\(text)' is not a filter: ") && message.contains(problem)
                && message.contains("; a filter is [tcp:|udp:][HOST][:PORT], as in tcp, 5432")
        }
    }

    @Test(
        "A filter prints as text that reads as the same filter",
        arguments: [
            ("tcp", "tcp"), ("udp:53", "udp:53"), ("5432", "5432"), (":5432", "5432"), ("8000-8100", "8000-8100"),
            ("10.0.0.0/8", "10.0.0.0/8"), ("[fd00::]/8", "fd00::/8"), ("fd00::/8:1", "[fd00::]/8:1"),
            ("[::1]:8000", "[::1]:8000"), ("tcp:[::1]", "tcp:::1"), ("*.Example.com:443", "*.example.com:443"),
            ("*", "*"), ("*:443", "443"), ("tcp:*", "tcp"), ("10.0.0.1/32", "10.0.0.1"),
        ]
    )
    func prints(text: String, printed: String) throws {
        let filter = try DestinationFilter(parsing: text)
        #expect(filter.description == printed)
        #expect(try DestinationFilter(parsing: printed) == filter)
    }

    @Test(
        "A filter without a transport is for both",
        arguments: [("tcp:1", .tcp), ("udp", .udp), ("1", nil), ("h", nil)] as [(String, Transport?)]
    )
    func transports(text: String, transport: Transport?) throws {
        #expect(try DestinationFilter(parsing: text).transport == transport)
    }
}
