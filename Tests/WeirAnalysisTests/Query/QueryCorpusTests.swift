import Support
import Testing
import WeirAnalysis
import WeirDissect
import WeirWire

@Suite("Queries of the corpus", .tags(.slow), .timeLimit(.minutes(10)))
struct QueryCorpusTests {
    /// A word of queries, with the place of its field among `Tshark.messageFields`.
    private static let words: [(word: String, index: Int)] = [
        ("method", 0), ("path", 1), ("status =", 2), ("host", 4),
    ]

    /// Returns how many flows of a capture fit a query.
    private static func count(_ text: String, in file: [UInt8]) throws -> Int {
        var reader = CaptureReader()
        var flows = CaptureFlows()
        var query = CaptureQuery(try FlowQuery(parsing: text))
        while let item = try? reader.next(in: file.span.bytes) {
            guard case .packet(let packet) = item else { continue }
            let bytes = file.span.bytes.extracting(packet.range)
            flows.add(packet, bytes)
            query.add(packet, bytes, in: flows)
        }
        query.finish()
        var count = 0
        for row in FlowRows().rows(of: flows.table) where query.matches(row) { count += 1 }
        return count
    }

    /// Returns whether a value of tshark can stand in a query, and is not escaped or cut.
    private static func isPlain(_ value: String, _ word: String) -> Bool {
        let isASCII = value.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != 0x22 && $0 != 0x5c && $0 != 0x2a }
        guard isASCII, !value.isEmpty, value.utf8.count < 200 else { return false }
        switch word {
        case "path": return value.hasPrefix("/")
        case "host": return value.contains { $0.isLetter } && !value.contains(":")
        case "status =": return value.utf8.allSatisfy { (0x30...0x39).contains($0) }
        default: return true
        }
    }

    @Test("Find what tshark reads in messages", .needsCorpus, .needsProgram("tshark"))
    func messages() throws {
        let said = try Tshark.corpus()
        var asked = 0
        for name in try Corpus.files() where Corpus.otherMessages[name] == nil {
            guard let values = said[name]?.messages else { continue }
            let file = try Corpus.read(name)
            for (word, index) in Self.words {
                for value in Set(values[index]).sorted().prefix(4) where Self.isPlain(value, word) {
                    asked += 1
                    let query = "\(word) \(word == "status =" ? value : "\"\(value)\"")"
                    #expect(try Self.count(query, in: file) > 0, "\(name): \(query)")
                }
            }
            let hasErrors = values[2].contains { (Int($0) ?? 0) >= 400 }
            if hasErrors { #expect(try Self.count("status >= 400 and error and http", in: file) > 0, "\(name)") }
            let hasOthers = values[2].contains { (Int($0) ?? 999) < 400 }
            if hasOthers { #expect(try Self.count("status < 400", in: file) > 0, "\(name)") }
        }
        #expect(asked > 300)
    }

    @Test("Find no status, method or name that tshark does not read", .needsCorpus, .needsProgram("tshark"))
    func nothing() throws {
        let said = try Tshark.corpus()
        for name in try Corpus.files() where Corpus.otherMessages[name] == nil {
            guard let values = said[name]?.messages else { continue }
            let file = try Corpus.read(name)
            #expect(try Self.count("host no.such.example or method NONE or status = 599", in: file) == 0, "\(name)")
            guard values[4].isEmpty, values[0].isEmpty, values[2].isEmpty else { continue }
            // Of a message that is not whole Weir reads more.
            #expect(try Self.count("status > 0 and took >= 0ns", in: file) == 0, "\(name)")
        }
    }

    @Test("Find as many TCP flows of a port as tshark", .needsCorpus, .needsProgram("tshark"))
    func ports() throws {
        let said = try Tshark.corpus()
        var (asked, skipped) = (0, 0)
        for name in try Corpus.files() {
            let packets = (said[name]?.packets ?? []).filter { $0.tcpStream != nil && $0.isOutsideICMP("tcp") }
            guard !packets.isEmpty else { continue }
            let file = try Corpus.read(name)
            // Where the flows are others, `FlowCorpusTests` has the reasons.
            guard try Self.count("tcp", in: file) == Set(packets.map(\.tcpStream)).count else {
                skipped += 1
                continue
            }
            let ports = Set(packets.flatMap { $0.tcpPorts.split(separator: " ") }).sorted()
            for port in ports.prefix(3) {
                let streams = Set(packets.filter { $0.tcpPorts.split(separator: " ").contains(port) }.map(\.tcpStream))
                asked += 1
                #expect(try Self.count("tcp and port \(port)", in: file) == streams.count, "\(name): port \(port)")
                #expect(
                    try Self.count("not port \(port) and tcp", in: file) + streams.count
                        == Set(packets.map(\.tcpStream)).count
                )
            }
        }
        #expect(asked > 500 && skipped < 40)
    }

    @Test("Find as many UDP flows of a port as tshark", .needsCorpus, .needsProgram("tshark"))
    func datagrams() throws {
        let said = try Tshark.corpus()
        var (asked, skipped) = (0, 0)
        for name in try Corpus.files() {
            let packets = (said[name]?.packets ?? []).filter { $0.isOutsideICMP("udp") }
            // Of tunnels tshark prints the outermost ports alone.
            guard !packets.isEmpty, packets.allSatisfy({ $0.udpStreams.count == 1 }) else { continue }
            let file = try Corpus.read(name)
            // Where the flows are others, `FlowCorpusTests` has the reasons.
            guard try Self.count("udp", in: file) == Set(packets.map(\.udpStream)).count else {
                skipped += 1
                continue
            }
            let ports = Set(packets.flatMap { $0.udpPorts.split(separator: " ") }).sorted()
            for port in ports.prefix(3) {
                let streams = Set(packets.filter { $0.udpPorts.split(separator: " ").contains(port) }.map(\.udpStream))
                asked += 1
                #expect(try Self.count("udp and port \(port)", in: file) == streams.count, "\(name): port \(port)")
            }
        }
        #expect(asked > 100 && skipped < 40, "\(asked) asked, \(skipped) skipped")
    }

    @Test("Find TCP flows that were reset where tshark sees resets", .needsCorpus, .needsProgram("tshark"))
    func resets() throws {
        let said = try Tshark.corpus()
        var asked = 0
        for name in try Corpus.files() {
            let packets = (said[name]?.packets ?? []).filter { $0.tcpStream != nil && $0.isOutsideICMP("tcp") }
            let reset = Set(packets.filter(\.isReset).map(\.tcpStream))
            guard !reset.isEmpty else { continue }
            let file = try Corpus.read(name)
            guard try Self.count("tcp", in: file) == Set(packets.map(\.tcpStream)).count else { continue }
            asked += 1
            let found = try Self.count("close reset or close refused", in: file)
            // A reset after both sides have ended says nothing.
            let ended = Set(packets.filter(\.isFinal).map(\.tcpStream))
            #expect(found <= reset.count && found >= reset.subtracting(ended).count, "\(name): \(found)")
        }
        #expect(asked > 50, "\(asked)")
    }

    @Test("Find errors of DNS where tshark reads a response code", .needsCorpus, .needsProgram("tshark"))
    func responseCodes() throws {
        let said = try Tshark.corpus()
        var (errors, others) = (0, 0)
        for name in try Corpus.files() where Corpus.otherMessages[name] == nil {
            guard let codes = said[name]?.responseCodes, !codes.isEmpty else { continue }
            let file = try Corpus.read(name)
            if codes.contains(where: { $0 > 0 }) {
                errors += 1
                #expect(try Self.count("dns and error", in: file) > 0, "\(name)")
            } else {
                others += 1
                #expect(try Self.count("udp and dns and error", in: file) == 0, "\(name)")
            }
        }
        #expect(errors > 5 && others > 20, "\(errors) with errors, \(others) without")
    }

    /// Captures in which tshark has other times: of answers to a group, which are flows of their own, and of a question that was
    /// repeated with the same number, from the repetition on.
    private static let otherTimes: Set<String> = ["zeek/dns/mdns.pcap", "zeek/ipv6-fragmented-dns.pcap"]

    @Test("Find answers of DNS by the time that tshark measures", .needsCorpus, .needsProgram("tshark"))
    func answerTimes() throws {
        let said = try Tshark.corpus()
        var (asked, missed) = (0, [String]())
        for name in try Corpus.files() where Corpus.otherMessages[name] == nil && !Self.otherTimes.contains(name) {
            let times = Set(said[name]?.answerTimes ?? []).compactMap { Double($0) }.filter { $0 > 0 }.sorted()
            guard !times.isEmpty else { continue }
            let file = try Corpus.read(name)
            for time in times.prefix(4) {
                asked += 1
                let nanoseconds = Int((time * 1_000_000_000).rounded())
                let query = "dns and took >= \(max(nanoseconds - 1000, 0))ns and took <= \(nanoseconds + 1000)ns"
                if try Self.count(query, in: file) == 0 { missed.append("\(name): \(query)") }
            }
        }
        #expect(asked > 50, "\(asked)")
        #expect(missed.isEmpty)
    }
}
