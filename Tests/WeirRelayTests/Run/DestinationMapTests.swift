import Testing
import WeirWire

@testable import WeirRelay

@Suite("Maps of destinations")
struct DestinationMapTests {
    @Test(
        "HOST:PORT=TARGET maps one port of a host",
        arguments: [
            ("db:5432=127.0.0.1:15432", "db:5432", "127.0.0.1:15432"), ("tcp:db:1=h:2", "tcp:db:1", "h:2"),
            ("udp:10.0.0.1:53=[::1]:5353", "udp:10.0.0.1:53", "[::1]:5353"),
            ("[::1]:1=127.0.0.1:65535", "[::1]:1", "127.0.0.1:65535"), ("*:53=127.0.0.1:5353", "53", "127.0.0.1:5353"),
            ("*.example.com:443=localhost:8443", "*.example.com:443", "localhost:8443"),
            ("10.0.0.0/8:80=h:1", "10.0.0.0/8:80", "h:1"),
        ]
    )
    func destinations(text: String, filter: String, target: String) throws {
        let map = try DestinationMap(parsing: text)
        #expect(map.filter.description == filter && map.target.description == target)
    }

    @Test(
        "What is wrong is told, and where",
        arguments: [
            ("db:5432", "there is no '='"), ("=h:1", "before '=', it is empty"),
            ("db:5432=10.0.0.1", "TARGET ends with HOST:PORT"),
            ("db=10.0.0.1:5432", "'db' before '=' needs one port: HOST:PORT"),
            ("db:1-2=h:1", "'db:1-2' before '=' needs one port: HOST:PORT"),
            ("5432=h:1", "'5432' before '=' needs a host; every host is *:5432"),
            ("tcp:5432=h:1", "'tcp:5432' before '=' needs a host; every host is *:5432"),
            ("db:0=h:1", "before '=', '0' is no port from 1 to 65535"),
            ("db:65536=h:1", "before '=', '65536' is no port from 1 to 65535"),
            ("db:1=h:0", "TARGET 'h:0' needs one host, and a port"),
            ("db:1=*:1", "TARGET '*:1' needs one host, and a port"),
            ("db:1=1", "TARGET '1' needs one host, and a port"), ("db:1=h:65536", "TARGET ends with HOST:PORT"),
            ("db:1=", "TARGET ends with HOST:PORT"), ("db:1=::1:2:x", "TARGET ends with HOST:PORT"),
        ]
    )
    func refuses(text: String, problem: String) {
        #expect {
            _ = try DestinationMap(parsing: text)
        } throws: { error in
            let message = "\(error)"
            return message.hasPrefix("'\(text)' is not a map: ") && message.contains(problem)
                && message.hasSuffix("as in db:5432=127.0.0.1:15432, or NAME=ADDRESS, as in api.example.com=127.0.0.1")
        }
    }
}
