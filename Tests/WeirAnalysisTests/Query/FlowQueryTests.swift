import Testing
import WeirAnalysis
import WeirEngine
import WeirWire

@Suite("Flow query")
struct FlowQueryTests {
    /// Two flows: TCP over IPv4 that ended, with 3 packets, 300 bytes of payload and 2 s; UDP over IPv6.
    private static func rows() throws -> [FlowRow] {
        var packets = Packets()
        try packets.add(.tcp, "10.1.2.3:49152", "192.168.0.1:443", .syn, payload: 100)
        try packets.add(.tcp, "192.168.0.1:443", "10.1.2.3:49152", [.syn, .ack], payload: 100)
        try packets.add(.tcp, "10.1.2.3:49152", "192.168.0.1:443", .rst, number: 102, payload: 100, at: 2_000_000_000)
        try packets.add(.udp, "[2001:db8::1]:53", "[fe80::1]:5353", payload: 5000)
        return packets.rows
    }

    @Test(
        "Finds the flows that it means",
        arguments: [
            ("tcp", [1]), ("udp", [2]), ("ip", [1]), ("ip6", [2]), ("not tcp", [2]), ("!tcp", [2]), ("! tcp", [2]),
            ("port 443", [1]), ("port 5353", [2]), ("port 1", []), ("port 50-60", [2]), ("portrange 443-5353", [1, 2]),
            ("port 443 and tcp", [1]), ("port 443 && udp", []), ("port 443 or udp", [1, 2]), ("port 443||udp", [1, 2]),
            ("client port 443", []), ("server port 443", [1]), ("client host 10.1.2.3", [1]),
            ("host 192.168.0.1", [1]), ("host 10.0.0.0/8", [1]), ("net 10.1.2.2/31", [1]), ("host 10.1.2.2/32", []),
            ("host 0.0.0.0/0", [1]), ("host ::/0", [2]), ("host 2001:db8::/32", [2]), ("host 2001:db9::/32", []),
            ("host 2001:db8::/128", []), ("server host fe80::0/127", [2]), ("server host fe80::0/64", [2]),
            ("close client_reset", [1]), ("close open", []), ("flow 2", [2]), ("flow 3", []),
            ("packets = 3", [1]), ("packets == 1", [2]), ("packets != 3", [2]), ("bytes > 4k", [2]),
            ("bytes>=5000", [2]),
            ("bytes<5000", [1]), ("bytes <= 1M", [1, 2]), ("duration = 2s", [1]), ("duration > 1999ms", [1]),
            ("duration < 1m", [1, 2]), ("packets_up = 2", [1]), ("packets_down = 1", [1]), ("bytes_up = 200", [1]),
            ("bytes_down = 100", [1]),
            ("not (tcp or udp)", []), ("not tcp or tcp", [1, 2]), ("not not tcp", [1]),
            ("tcp and port 443 or udp and port 53", [1, 2]), ("tcp and (port 53 or udp)", []), ("((tcp))", [1]),
            ("listener port 443", []), ("egress host 10.1.2.3", []),
        ] as [(String, [Int])]
    )
    func finds(_ text: String, _ numbers: [Int]) throws {
        let query = try FlowQuery(parsing: text)
        #expect(try Self.rows().filter { query.matches($0) }.map(\.number) == numbers)
    }

    @Test("The endpoints of both legs count for a flow that Weir recorded")
    func recorded() throws {
        let comment = "flow 9 client 10.0.0.1:1000 listener 10.0.0.2:9000 egress 10.0.0.3:2000 server 10.0.0.4:80"
        var packets = Packets()
        try packets.add(.tcp, "10.0.0.1:1000", "10.0.0.2:9000", .syn, payload: 60, comment: comment)
        try packets.add(.tcp, "10.0.0.3:2000", "10.0.0.4:80", .syn, payload: 5000, comment: comment)
        let row = try #require(packets.rows.first)
        for text in [
            "server port 80", "client port 1000", "listener port 9000", "egress port 2000", "port 2000", "port 9000",
            "host 10.0.0.3", "flow 9", "bytes = 5000", "bytes = 60",
        ] {
            #expect(try FlowQuery(parsing: text).matches(row), "\(text)")
        }
        // Its number is the relay's; the places of its legs are none.
        for text in ["server port 9000", "client port 2000", "flow 1", "flow 2"] {
            #expect(try !FlowQuery(parsing: text).matches(row), "\(text)")
        }
    }

    @Test(
        "Says which word is wrong, and what was expected",
        arguments: [
            (
                "",
                "the query ends where a word of queries was expected"
            ),
            ("prtx 5", "'prtx' is not a word of queries"),
            (
                "prt 5",
                "'prt' is not a word of queries; did you mean 'port'?"
            ),
            ("port", "the query ends where a port, or two with '-' between was expected"),
            ("port x", "'x' is not a port, or two with '-' between"),
            ("port 65536", "'65536' is not a port, or two with '-' between"),
            ("port 5-3", "'5-3' is not a port, or two with '-' between"),
            ("port 1-2-3", "'1-2-3' is not a port, or two with '-' between"),
            ("port -1", "'-1' is not a port, or two with '-' between"),
            ("port +1", "'+1' is not a port, or two with '-' between"),
            ("tcp port 5", "'port': 'and' or 'or' is missing before it"),
            ("host 1.2.3", "'1.2.3' is not an address, or one with the length of a prefix"),
            ("host 1.2.3.4/33", "'1.2.3.4/33' is not an address, or one with the length of a prefix"),
            ("host 1.2.3.4/8/1", "'1.2.3.4/8/1' is not an address, or one with the length of a prefix"),
            ("host 1.2.3.4/", "'1.2.3.4/' is not an address, or one with the length of a prefix"),
            ("host ::1/129", "'::1/129' is not an address, or one with the length of a prefix"),
            ("client tcp", "'tcp' is not 'host' or 'port'"),
            ("(tcp", "the query ends where ')' was expected"),
            ("tcp)", "')': there is no '(' before it"),
            ("src port 5", "'src' is not a side of a flow, which are 'client' and 'server'"),
            ("bytes 5", "'5': a comparison is missing before it, as in bytes > 64k"),
            ("bytes > 5X", "'5X' is not a number such as 4096, 64k or 1.5MB"),
            ("bytes > 99999999999999999999", "'99999999999999999999' is not a number such as 4096, 64k or 1.5MB"),
            ("bytes > 18446744073709551615k", "'18446744073709551615k' is not a number such as 4096, 64k or 1.5MB"),
            ("duration > 5d", "'5d' is not a time such as 500ms, 0.3s or 2m"),
            ("flow 0", "'0' is not the number of a flow, from 1"),
            (
                "close shut",
                "'shut' is not an end: open, unanswered, refused, client_finished, server_finished, finished, client_reset, server_reset, reset, idle, evicted, requested, toxic, shutdown, tls_failed; did you mean 'shutdown'?"
            ),
            ("status >= 4xx", "'4xx': write status >= 400 and status < 500"),
            ("took > fast", "'fast' is not a time such as 500ms, 0.3s or 2m"),
            ("htp", "'htp' is not a word of queries; did you mean 'http'?"),
            ("method", "the query ends where a method such as GET was expected"),
            ("method (tcp)", "'(' is not a method such as GET"),
            ("contains", "the query ends where a text in quotation marks, or hex:... was expected"),
            ("contains \"abc", "'\"abc': the second quotation mark is missing"),
            ("contains \"\"", "'\"\"': there is nothing to search for"),
            ("contains hex:1", "'hex:1': bytes in hex have two digits each"),
            ("hex:12g4", "'hex:12g4': 'g' is no hex digit"),
            ("matches abc", "'abc' is not an expression between slashes, as /get|post/i"),
            ("matches /abc", "'/abc': the second slash is missing"),
            ("matches /[/", "'/[/': '[' has no ']'; write \\[ for the character"),
            ("matches \"abc\"", "'\"abc\"' is not an expression between slashes, as /get|post/i"),
            (
                "matches /abc/x",
                "'/abc/x': an expression stands between slashes, /like this/ or /this/i for either case"
            ),
            ("matches /a(b/", "'/a(b/': '(' has no ')'; write \\( for the character"),
            ("matches /a*/", "'/a*/': it matches where nothing is"),
            (
                "client host example.org",
                "'example.org': only servers have names; ask for an address, or with 'host' alone"
            ),
            ("path \"\"", "'\"\"': it is empty, where a path such as /api was expected"),
            ("\"tcp\"", "'\"tcp\"': a text is searched for with contains before it"),
            ("took > 100", "'100': a time has a unit; write 100ms or 100s"),
            ("took > 0.3", "'0.3': a time has a unit; write 0.3ms or 0.3s"),
            ("duration < 5 s", "'5': a time has a unit; write 5ms or 5s"),
            ("took > .3s", "'.3s' is not a time such as 500ms, 0.3s or 2m"),
            ("took > 1.s", "'1.s' is not a time such as 500ms, 0.3s or 2m"),
            ("took > -1s", "'-1s' is not a time such as 500ms, 0.3s or 2m"),
            ("took 100ms", "'100ms': a comparison is missing before it, as in took > 100ms"),
            ("bytes > 1.5", "'1.5' is not a number such as 4096, 64k or 1.5MB"),
            ("status 200", "'200': a comparison is missing before it, as in status = 404"),
            ("status = ok", "'ok' is not a status such as 404"),
            ("> 400", "'>': the name of what is compared is missing before it, as in status > 399"),
            ("http status = 500", "'status': 'and' or 'or' is missing before it"),
            ("(http status = 500)", "'status': 'and' or 'or' is missing before it"),
            ("and http", "'and': a condition is missing before it"),
            ("http and or tcp", "'or': a condition is missing before it"),
            ("contains foo bar", "'bar': a text with blanks stands in quotation marks"),
            ("\"unclosed", "'\"unclosed': the second quotation mark is missing"),
            ("port > 1024", "'>': ports are asked for one by one, or in a range: port 1024-65535"),
            ("port != 80", "'!=': write not port 443"),
            ("port 80,443", "'80,443': write (port 80 or port 443)"),
            ("method != GET", "'!=': write not method GET"),
            ("path > /a", "'>': 'path' has no order; write path /api"),
            ("path && http", "'&&' is not an argument of 'path', as in path /api"),
            ("host 10.0.*", "'10.0.*': write host 10.0.0.0/16"),
            ("host 10.0.0.1:80", "'10.0.0.1:80': a host has no port; write host 10.0.0.1 and port 80"),
            ("host example.org:443", "'example.org:443': a host has no port; write host NAME and port 443"),
            ("client 10.0.0.1", "'10.0.0.1': write client host before it"),
            ("server = 10.0.0.1", "'=': write server host or server port before it"),
            ("client 80", "'80': write client port before it"),
            ("GET", "'GET': write method GET"),
            ("/api", "'/api': write path before it, or matches if it is a regular expression"),
            ("404", "'404': write status = 404, or port 404"),
            ("8080", "'8080': write port 8080, or flow 8080"),
            ("10.0.0.1", "'10.0.0.1': write host before it"),
            ("10.0.0.1:80", "'10.0.0.1:80': write host 10.0.0.1 and port 80"),
            ("example.org", "'example.org': write host before it"),
            ("url = /a", "'url': write path"),
            ("http.response.code >= 400", "'http.response.code': write status"),
        ]
    )
    func refuses(_ text: String, _ message: String) {
        let error = #expect(throws: FlowQueryError.self) { _ = try FlowQuery(parsing: text) }
        #expect(error?.description == message)
    }

    @Test(
        "Marks the wrong word in the query",
        arguments: [
            ("tcp and prt 80", "tcp and prt 80", "        ^^^"), ("tcp and", "tcp and", "       ^"),
            ("(tcp", "(tcp", "    ^"), ("port 65536 or udp", "port 65536 or udp", "     ^^^^^"),
            ("tcp\nand \u{1b}x", "tcp?and ?x", "        ^^"),
            ("contains \"a b", "contains \"a b", "         ^^^^"),
        ]
    )
    func marks(_ text: String, _ line: String, _ marks: String) throws {
        let error = #expect(throws: FlowQueryError.self) { _ = try FlowQuery(parsing: text) }
        let lines = try #require(error).explanation.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == 3 && lines[1] == "  \(line)" && lines[2] == "  \(marks)", "\(lines)")
    }

    @Test("Of a long query the part with the wrong word is shown")
    func long() throws {
        let text =
            String(repeating: "tcp or ", count: 60) + "wrong or " + String(repeating: "udp or ", count: 20) + "udp"
        let error = #expect(throws: FlowQueryError.self) { _ = try FlowQuery(parsing: text) }
        let lines = try #require(error).explanation.split(separator: "\n").map(String.init)
        try #require(lines.count == 3)
        let place = lines[2].prefix { $0 != "^" }.count
        #expect(lines[1].count <= 80 && lines[1].dropFirst(place).hasPrefix("wrong"))
        #expect(lines[2].count { $0 == "^" } == 5)
    }

    @Test("A query of ten thousand words is refused, not a trap")
    func wide() {
        let text = Array(repeating: "tcp", count: 10_000).joined(separator: " and ")
        #expect(throws: FlowQueryError.self) { _ = try FlowQuery(parsing: text) }
        let messages = Array(repeating: "http", count: 65).joined(separator: " or ")
        #expect(throws: FlowQueryError.self) { _ = try FlowQuery(parsing: messages) }
        #expect(throws: Never.self) { _ = try FlowQuery(parsing: String(messages.dropLast(8))) }
    }

    @Test("The protocols of the dissectors are words, and the help has every word")
    func words() throws {
        for name in QueryWord.protocols {
            #expect(try FlowQuery(parsing: name) == .speaks(name))
            #expect(QueryWord.help.contains(name))
        }
        for word in QueryWord.all { #expect(QueryWord.help.contains("  \(word.name)")) }
        for line in QueryWord.help.split(separator: "\n") { #expect(line.count <= 130, "\(line)") }
    }

    @Test("A query of a hundred thousand parentheses is refused, not a trap")
    func deep() {
        #expect(throws: FlowQueryError.self) { _ = try FlowQuery(parsing: String(repeating: "(", count: 100_000)) }
        #expect(throws: FlowQueryError.self) { _ = try FlowQuery(parsing: String(repeating: "! ", count: 100_000)) }
    }

    @Test(
        "Knows which queries need the whole flow",
        arguments: [
            ("tcp and port 5 or not host 1.2.3.4", false), ("tcp or not packets > 5", true), ("close open", true),
        ]
    )
    func wholeFlow(_ text: String, _ expected: Bool) throws {
        #expect(try FlowQuery(parsing: text).needsWholeFlow == expected)
    }
}
