import Testing
import WeirEngine
import WeirWire

@testable import WeirRelay

@Suite("Maps of names")
struct NameMapTests {
    @Test(
        "NAME=ADDRESS gives a name another address",
        arguments: [
            ("api.example.com=127.0.0.1", "api.example.com", "127.0.0.1"), ("Db=::1", "db", "::1"),
            ("*.Example.com.=10.0.0.1", "*.example.com", "10.0.0.1"), ("db=[fd00::1]", "db", "fd00::1"),
            ("localhost=127.0.0.2", "localhost", "127.0.0.2"),
        ]
    )
    func names(text: String, host: String, address: String) throws {
        let map = try #require(try NameMap(parsing: text))
        #expect(map.host == host && map.address == IPAddress(address))
    }

    @Test(
        "A map with a port, or without a name before '=', is one of destinations",
        arguments: [
            "db:5432=127.0.0.1:1", "db:5432=127.0.0.1", "db=127.0.0.1:5432", "db=h:1", "tcp:db=127.0.0.1",
            "53=127.0.0.1",
            "db", "", "=127.0.0.1", "a b=127.0.0.1",
        ]
    )
    func others(text: String) throws { #expect(try NameMap(parsing: text) == nil) }

    @Test(
        "What is wrong is told",
        arguments: [
            ("10.0.0.1=127.0.0.1", "'10.0.0.1' before '=' is no name; with a port it is a destination"),
            ("*=127.0.0.1", "'*' before '=' is no name"), ("::1=127.0.0.1", "'::1' before '=' is no name"),
            ("db=other", "'other' after '=' is no address"), ("db=", "nothing follows '='"),
            ("db=1.2.3", "'1.2.3' after '=' is no address"),
            ("db=fe80::1%1", "'fe80::1%1' has a zone, for which a DNS answer has no place"),
        ]
    )
    func refuses(text: String, problem: String) {
        #expect {
            _ = try NameMap(parsing: text)
        } throws: { error in
            let message = "\(error)"
            return message.hasPrefix("'\(text)' is not a map: \(problem)")
                && message.hasSuffix("or NAME=ADDRESS, as in api.example.com=127.0.0.1")
        }
    }

    @Test("One toxic has all addresses of a name, and the first map of a name has the last word")
    func toxics() throws {
        let texts = ["api.example.com=127.0.0.1", "*.example.com=10.0.0.1", "API.example.com=::1"]
        let toxics = NameMap.toxics(try texts.compactMap { text in try NameMap(parsing: text) })
        #expect(toxics.map(\.name) == ["map_*.example.com", "map_api.example.com"])
        #expect(toxics.map { $0.attributes["address"] } == [.string("10.0.0.1"), .string("127.0.0.1 ::1")])
        for toxic in toxics {
            #expect(toxic.direction == .downstream)
            _ = try toxic.validated(for: .udp)
            _ = try toxic.validated(for: .tcp)
        }
    }

    @Test(
        "Only a filter of every host leaves all name servers out",
        arguments: [
            ("udp", true), ("udp:53", true), ("53", true), ("*", true), ("50-60", true), ("10.0.0.0/8", false),
            ("localhost", false), ("tcp", false), ("tcp:53", false), ("5432", false), ("example.com", false),
        ]
    )
    func nameServers(filter: String, isOfAll: Bool) throws {
        #expect(try DestinationFilter(parsing: filter).isOfAllNameServers == isOfAll)
    }

    @Test("Names are needed by filters and maps that have one, and then name servers and datagrams are watched")
    func needsNames() throws {
        func settings(_ only: String...) throws -> WatchSettings {
            var settings = WatchSettings(command: ["ls"])
            settings.only = try only.map { try DestinationFilter(parsing: $0) }
            return settings
        }
        for (only, needs, watches) in [
            ("tcp", false, false), ("tcp:localhost", false, false), ("tcp:a.example", true, true),
        ] {
            let settings = try settings(only)
            #expect(settings.needsNames == needs)
            #expect(settings.watchesDatagrams == watches)
        }
        var denying = try settings("tcp")
        denying.denied = [try DestinationFilter(parsing: "udp:5000")]
        #expect(denying.watchesDatagrams && !denying.needsNames)
    }
}
