import Support
import Testing
import WeirAnalysis
import WeirDissect
import WeirWire

@Suite("Queries of the corpus", .tags(.slow), .timeLimit(.minutes(10)))
struct QueryCorpusTests {
    /// The captures of which tshark reads other messages; `MessageCorpusTests` has the reasons.
    private static let exceptions: Set<String> = [
        "tcpdump/dns_tcp_8053.pcap",
        "zeek/http/get-to-ssh-server.pcap",
        "zeek/http/http-single-conn-22.pcap",
        "zeek/http/http-to-ssh.pcap",
        "zeek/http/zeek-image-post-1080-8000-x.pcap",
        "zeek/postgresql/http-on-port-5432.pcap",
        "zeek/quic/chromium-dpd-custom-port-4433.pcap",
        "zeek/quic/quicdoq.pcap",
        "zeek/quic/quicv2-echo-dpd-custom-port-4433.pcap",
        "zeek/rdp/rdp-to-ssl.pcap",
        "zeek/tcp-http-with-padding.pcap",
        "zeek/tls/https-to-http.pcap",
        "zeek/tls/ssl-to-http-server.pcap",
        "tcpdump/quic_retry.pcap",
        "tcpdump/quic_vn.pcap",
        "zeek/ppp/quic-interop-retry.pcap",
        "zeek/quic/interop/quic-go_quic-go/retry.pcap",
        "zeek/quic/quic-multiple-initial-fragmented-crypto.pcap",
        "zeek/http/query-method.pcap",
        "zeek/http/query-method-non-standard-port.pcap",
        "zeek/http/methods.pcap",
        "zeek/communityid/tcp.pcap",
        "zeek/dce-rpc/mapi.pcap",
        "zeek/http/261/variant-01-chunk_2pow64_overflow.pcap",
        "zeek/http/concurrent-range-requests.pcap",
        "zeek/http/content-range-gap-skip.pcap",
        "zeek/redis/oss-fuzz-473580107.pcap",
        "zeek/tunnels/ayiya3.pcap",
    ]

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
        for name in try Corpus.files() where !Self.exceptions.contains(name) {
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
        for name in try Corpus.files() where !Self.exceptions.contains(name) {
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
}
