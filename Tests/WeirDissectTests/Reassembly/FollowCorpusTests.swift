import Support
import Testing
import WeirWire

@testable import WeirDissect

@Suite("Streams of the corpus", .tags(.slow), .timeLimit(.minutes(10)))
struct FollowCorpusTests {
    /// Says why a capture's streams are others in tshark 4.0; there are no other reasons.
    private enum Reason: String {
        case bigTCP = "tshark takes a payload length of 0 for an IPv6 packet without payload"
        case header = "tshark stops at a TCP header that reaches past what was captured"
        case unacknowledged = "tshark shows nothing that comes behind a gap until it is acknowledged"
        case application =
            "tshark finds packets within the messages of an application, and loses its place in the stream"
    }

    private static let exceptions: [String: Reason] = [
        "tcpdump/bigtcp-ipv6-geneve-ipv4.pcap": .bigTCP, "tcpdump/bigtcp-ipv6-geneve-ipv6.pcap": .bigTCP,
        "tcpdump/bigtcp-ipv6-vxlan-ipv4.pcap": .bigTCP, "tcpdump/bigtcp-ipv6-vxlan-ipv6.pcap": .bigTCP,
        "tcpdump/bigtcp-ipv6.pcap": .bigTCP,
        "tcpdump/bgp-bgp_capabilities_print-oobr-1.pcap": .header,
        "tcpdump/bgp-bgp_capabilities_print-oobr-2.pcap": .header, "tcpdump/bgp_pmsi_tunnel-oobr.pcap": .header,
        "tcpdump/rpki-rtr-oobr.pcap": .header,
        "tcpdump/bgp-cease-hard-reset.pcap": .unacknowledged, "zeek/modbus/fuzz-1011.pcap": .unacknowledged,
        "zeek/tunnels/gtp/gtp9_unknown_or_too_short_payload.pcap": .unacknowledged,
        "tcpdump/of10_s4810.pcap": .application, "tcpdump/of13_ericsson.pcapng": .application,
    ]

    /// What both sides of a connection sent, as far as it was captured.
    private struct Stream {
        var client: Endpoint
        var server: Endpoint
        var up: [UInt8] = []
        var down: [UInt8] = []
        var hasConflicts = false
    }

    /// Puts the streams of a capture together, in the order of their flows.
    private static func streams(in file: [UInt8]) throws -> [Stream] {
        var (reader, streams) = (CaptureReader(), [Int: Stream]())
        var flows = CaptureFlows()
        var reassembler = TCPReassembler()
        var missing: [[Int]: [UInt8]] = [:]
        func receive(_ piece: StreamPiece, _ bytes: RawSpan) {
            let isUp = piece.direction == .upstream
            if case .bytes = piece.content {
                // tshark says which segments are missing before something, not at the end, and not what was cut off one.
                var added = missing.removeValue(forKey: [piece.flow, isUp ? 1 : 0]) ?? []
                bytes.withUnsafeBytes { added += $0 }
                if isUp { streams[piece.flow]?.up += added } else { streams[piece.flow]?.down += added }
            } else if case .gap = piece.content {
                let text = Array("[\(piece.count) bytes missing in capture file]\0".utf8)
                missing[[piece.flow, isUp ? 1 : 0], default: []] += text
            }
        }
        while let item = try reader.next(in: file.span.bytes) {
            guard case .packet(let packet) = item else { continue }
            let bytes = file.span.bytes.extracting(packet.range)
            flows.add(packet, bytes)
            guard let place = flows.tcp, let segment = flows.packet.tcp?.streamSegment else { continue }
            if place.isNew { streams[place.index] = Stream(client: .anyPortV4, server: .anyPortV4) }
            if place.hasTurned {
                reassembler.turn(flow: place.index)
                if var stream = streams[place.index] {
                    (stream.up, stream.down) = (stream.down, stream.up)
                    streams[place.index] = stream
                }
            }
            flows.withPayload(.tcp, of: bytes) { payload in
                reassembler.add(
                    segment,
                    payload,
                    flow: place.index,
                    place.direction,
                    at: packet.timestamp,
                    to: receive
                )
            }
        }
        reassembler.finish(to: receive)
        return streams.keys.sorted().compactMap { index in
            var stream = streams[index]
            stream?.client = flows.table[index].client
            stream?.server = flows.table[index].server
            stream?.hasConflicts = Direction.allCases.contains {
                !reassembler.report(flow: index, $0).conflicts.isEmpty
            }
            return stream
        }
    }

    /// What one end of a stream sent, as tshark puts it together.
    private struct End: Equatable {
        /// The first 16 hex digits of the SHA-256.
        var hash: String
        var count: Int

        init(_ bytes: [UInt8]) {
            count = bytes.count
            hash = SHA256.hash(bytes).prefix(8).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        }

        init(_ columns: ArraySlice<Substring>) throws {
            count = try #require(Int(columns[columns.startIndex + 1]))
            hash = String(columns[columns.startIndex + 2])
        }
    }

    /// One stream of tshark's: its ends by their addresses.
    private struct Followed {
        var ends: [(name: String, sent: End)]
    }

    /// Reads what `Scripts/goldens.py` has written; `Scripts/full.sh` makes it anew with tshark.
    private static func goldens() throws -> [String: [Followed]] {
        let folder = #filePath.split(separator: "/").dropLast().joined(separator: "/")
        let text = String(decoding: try TemporaryFolder.read("/\(folder)/followed.tsv"), as: UTF8.self)
        var streams: [String: [Followed]] = [:]
        for line in text.split(separator: "\n").dropFirst() {
            let columns = line.split(separator: "\t")
            try #require(columns.count == 8, "\(line)")
            let ends = try [2, 5].map { (bare(String(columns[$0])), try End(columns[$0...])) }
            streams[String(columns[0]), default: []].append(Followed(ends: ends))
        }
        return streams
    }

    @Test("Are those of tshark where nothing was sent twice with different bytes", .needsCorpus)
    func tshark() throws {
        let names = try Corpus.files()
        let said = try Self.goldens()
        var compared = 0
        for name in names {
            let streams = try Self.streams(in: try Corpus.read(name))
            let theirs = said[name] ?? []
            var differences: [String] = []
            var taken: Set<Int> = []
            for stream in streams where !stream.hasConflicts && !(stream.up.isEmpty && stream.down.isEmpty) {
                let names = [stream.client, stream.server].map { Self.bare("\($0)") }
                let place = theirs.indices.first { index in
                    !taken.contains(index) && Set(theirs[index].ends.map(\.name)) == Set(names)
                }
                guard let place else {
                    differences.append("tshark has no stream of \(names)")
                    continue
                }
                taken.insert(place)
                compared += 1
                var ends = theirs[place].ends
                if ends[0].name != names[0] { ends.reverse() }
                for (ours, theirs) in zip([End(stream.up), End(stream.down)], ends) where ours != theirs.sent {
                    differences.append("\(names): \(ours), in tshark \(theirs.sent)")
                }
            }
            if let reason = Self.exceptions[name] {
                #expect(!differences.isEmpty, "\(name) is no exception: \(reason.rawValue)")
            } else if !differences.isEmpty {
                Issue.record("\(name): \(differences.prefix(3))")
            }
        }
        #expect(Set(Self.exceptions.keys).isSubset(of: names))
        #expect(Self.exceptions.count * 50 <= names.count)
        #expect(compared > 1000)
    }

    private static func bare(_ endpoint: String) -> String { endpoint.filter { $0 != "[" && $0 != "]" } }
}
