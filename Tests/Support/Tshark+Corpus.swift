import Foundation
import Synchronization
import WeirWire

/// tshark's output for the corpus, requested once for all tests.
///
/// tshark takes longer to start than to read most captures, so many captures go through one run: as one file with an
/// interface for each link type, one capture after the other. Only captures that share a TCP connection or the
/// addresses of fragments are kept apart, because tshark would join these.
extension Tshark {
    /// tshark's output for one packet, with the first (outermost) header of each kind.
    package struct Packet: Sendable {
        /// The number of the TCP connection, separate for each run.
        package var tcpStream: Int?
        /// The number of the UDP conversation, separate for each run.
        package var udpStream: Int?
        /// The numbers of all UDP conversations of the packet, outermost first, each with its source port.
        package var udpStreams: [(number: Int, source: Substring)]
        /// The sender's address in the outermost IP header.
        package var source: String
        /// The ports of TCP, `1000 2000`.
        package var tcpPorts: String
        /// The ports of UDP, `1000 2000`.
        package var udpPorts: String
        /// The length on the wire in bytes.
        package var length: Int
        /// The protocols' names, outermost first.
        package var protocols: [Substring]
        /// Whether the TCP segment is a reset.
        package var isReset: Bool
        /// Whether the TCP segment ends its direction.
        package var isFinal: Bool

        /// Returns whether a protocol is before any ICMP message, and so not in a packet that an ICMP error quotes.
        package func isOutsideICMP(_ name: Substring) -> Bool { countOutsideICMP(name) > 0 }

        /// Returns how often a protocol occurs before any ICMP message.
        package func countOutsideICMP(_ name: Substring) -> Int {
            let icmp = protocols.firstIndex { $0 == "icmp" || $0 == "icmpv6" } ?? protocols.endIndex
            return protocols[..<icmp].count { $0 == name }
        }
    }

    /// tshark's output for one capture; packets of link types that Weir does not read are left out.
    package struct Said: Sendable {
        package var packets: [Packet] = []
        /// The values of each of `messageFields`, without those that an ICMP error quotes.
        package var messages: [[String]] = Array(repeating: [], count: messageFields.count)
        /// The response codes of DNS, also without those that an ICMP error quotes.
        package var responseCodes: [Int] = []
        /// The times from questions of DNS to their answers, in seconds as text, also without those.
        package var answerTimes: [String] = []
    }

    /// The message fields to request.
    package static let messageFields = [
        "http.request.method", "http.request.uri", "http.response.code", "dns.qry.name",
        "tls.handshake.extensions_server_name", "tls.handshake.extensions_alpn_str",
    ]

    /// Returns tshark's output for each capture of the corpus that has a packet, by the captures' names.
    package static func corpus() throws -> [String: Said] { try said.get() }

    private static let said = Result {
        let folder = try TemporaryFolder()
        let batches = try Tshark.batches(Corpus.files().map { try Capture($0, Corpus.read($0)) })
        let results = Mutex<[Result<[String: Said], any Error>]>([])
        DispatchQueue.concurrentPerform(iterations: batches.count) { index in
            let result = Result { try run(batches[index].captures, "\(index).pcapng", in: folder) }
            results.withLock { $0.append(result) }
        }
        var all: [String: Said] = [:]
        for result in results.withLock({ $0 }) { all.merge(try result.get()) { first, _ in first } }
        return all
    }

    private static let packetFields = [
        "tcp.stream", "udp.stream", "ip.src", "ipv6.src", "tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport",
        "frame.len", "frame.protocols", "tcp.flags.reset", "tcp.flags.fin",
    ]
    /// The fields after those of messages.
    private static let furtherFields = ["dns.flags.rcode", "dns.time"]

    private static func run(
        _ captures: [Capture],
        _ name: String,
        in folder: TemporaryFolder
    ) throws -> [String: Said] {
        let file = try folder.file(name, joined(captures))
        let wanted = (packetFields + messageFields + furtherFields).flatMap { ["-e", $0] }
        let form = ["-T", "fields", "-E", "occurrence=a", "-E", "aggregator=\u{1}"]
        let ended = try ChildProgram.run("tshark", ["-n", "-r", file] + form + wanted, errors: file + ".errors")
        let lines = ended.output.split(separator: "\n")
        let count = captures.reduce(0) { $0 + $1.packets.count }
        guard ended.status == 0, lines.count == count else {
            throw HelperError("tshark gives \(lines.count) lines for \(count) packets: \(ended.errors.suffix(400))")
        }
        var rest = lines[...]
        var all: [String: Said] = [:]
        for capture in captures {
            var said = Said()
            for line in rest.prefix(capture.packets.count) { try add(line, to: &said) }
            all[capture.name] = said
            rest = rest.dropFirst(capture.packets.count)
        }
        return all
    }

    private static func add(_ line: Substring, to said: inout Said) throws {
        let parts = line.split(separator: "\t", omittingEmptySubsequences: false)
            .map { $0.split(separator: "\u{1}", omittingEmptySubsequences: false) }
        let count = packetFields.count + messageFields.count + furtherFields.count
        guard parts.count == count, let length = Int(parts[8][0]) else {
            throw HelperError("tshark printed \(line)")
        }
        let first = parts.map { $0.first ?? "" }
        let protocols = first[9].split(separator: ":")
        let isV6 = first[2].isEmpty || protocols.first { $0 == "ip" || $0 == "ipv6" } == "ipv6"
        said.packets.append(
            Packet(
                tcpStream: Int(first[0]),
                udpStream: Int(first[1]),
                udpStreams: zip(parts[1], parts[6]).compactMap { stream, port in Int(stream).map { ($0, port) } },
                source: String(isV6 ? first[3] : first[2]),
                tcpPorts: "\(first[4]) \(first[5])",
                udpPorts: "\(first[6]) \(first[7])",
                length: length,
                protocols: protocols,
                isReset: ["1", "True"].contains(first[10]),
                isFinal: ["1", "True"].contains(first[11])
            )
        )
        guard !first[9].contains(":icmp") else { return }
        for (index, values) in parts[packetFields.count...].enumerated() where values != [""] {
            if index < messageFields.count {
                said.messages[index] += values.map(String.init)
            } else if index == messageFields.count {
                said.responseCodes += values.compactMap { Int($0) }
            } else {
                said.answerTimes += values.map(String.init)
            }
        }
    }
}

// Joining captures
extension Tshark {
    struct Capture: Sendable {
        var name: String
        var bytes: [UInt8]
        var packets: [CapturedPacket] = []
        /// The connections and address pairs that no other capture of a run may have.
        var owned: Set<FiveTuple> = []

        init(_ name: String, _ bytes: [UInt8]) throws {
            self.name = name
            self.bytes = bytes
            var (reader, decoded) = (CaptureReader(), DecodedPacket())
            var decoder = PacketDecoder()
            let file = bytes.span.bytes
            while let item = try reader.next(in: file) {
                guard case .packet(let packet) = item, PacketDecoder.reads(packet.linkType) else { continue }
                packets.append(packet)
                decoder.decode(file.extracting(packet.range), linkType: packet.linkType, into: &decoded)
                if let tcp = decoded.tcp { owned.insert(tcp.tuple.canonical) }
                if let pair = decoded.fragment?.key.addresses {
                    let (source, destination) = (Endpoint(pair.source), Endpoint(pair.destination))
                    owned.insert(FiveTuple(transport: .udp, source: source, destination: destination))
                }
            }
        }
    }

    struct Batch: Sendable {
        var captures: [Capture] = []
        var owned: Set<FiveTuple> = []
    }

    static func batches(_ captures: [Capture]) -> [Batch] {
        var batches: [Batch] = []
        for capture in captures where !capture.packets.isEmpty {
            let index = batches.firstIndex { $0.owned.isDisjoint(with: capture.owned) } ?? batches.endIndex
            if index == batches.endIndex { batches.append(Batch()) }
            batches[index].captures.append(capture)
            batches[index].owned.formUnion(capture.owned)
        }
        return batches
    }

    static func joined(_ captures: [Capture]) -> [UInt8] {
        var writer = PcapngWriter()
        var buffer = ByteBuffer()
        writer.append(CaptureSection(), to: &buffer)
        var interfaces: [LinkType: UInt32] = [:]
        for capture in captures {
            for packet in capture.packets {
                let linkType = packet.linkType
                let number =
                    interfaces[linkType] ?? writer.append(CaptureInterface(linkType: linkType), to: &buffer)
                interfaces[linkType] = number
                let metadata = PacketMetadata(
                    timestamp: packet.timestamp,
                    interface: number,
                    originalLength: UInt32(clamping: packet.originalLength)
                )
                writer.append(metadata, capture.bytes.span.bytes.extracting(packet.range), to: &buffer)
            }
        }
        return buffer.withUnsafeBytes { Array($0) }
    }
}

extension Endpoint {
    fileprivate init(_ address: IPAddress) {
        self.init(address: address, port: 0)
    }
}
