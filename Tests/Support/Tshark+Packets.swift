import Foundation
import WeirWire

/// What the packets of many captures say.
///
/// To start takes tshark longer than to read most captures, so that many go through one run: into one file with an
/// interface for each link type, one capture behind the other. Only captures that share a TCP connection or the addresses
/// of fragments are kept apart, since tshark would join these.
extension Tshark {
    /// Holds what tshark says of one packet, its first (outermost) header of each kind.
    package struct Packet: Sendable {
        /// Numbers the TCP connection, apart for each run.
        package var tcpStream: Int?
        /// Numbers the UDP conversation, apart for each run.
        package var udpStream: Int?
        /// Holds the sender's address of the outermost IP header.
        package var source: String
        /// Holds the ports of TCP, `1000 2000`.
        package var tcpPorts: String
        /// Holds the ports of UDP, `1000 2000`.
        package var udpPorts: String
        /// Gives the length on the wire in bytes.
        package var length: Int
        /// Names the protocols, outermost first.
        package var protocols: [Substring]

        /// Says whether a protocol stands before any ICMP message, and so in no packet that an ICMP error quotes.
        package func isOutsideICMP(_ name: Substring) -> Bool {
            let icmp = protocols.firstIndex { $0 == "icmp" || $0 == "icmpv6" } ?? protocols.endIndex
            return protocols[..<icmp].contains(name)
        }
    }

    /// Returns what tshark says of the packets of captures that Weir reads, by the captures' names.
    ///
    /// Packets of link types that Weir does not read are left out.
    package static func packets(of captures: [(name: String, bytes: [UInt8])]) throws -> [String: [Packet]] {
        let folder = try TemporaryFolder()
        let batches = try batches(captures.map { try Capture($0.name, $0.bytes) })
        let results = Results(count: batches.count)
        DispatchQueue.concurrentPerform(iterations: batches.count) { index in
            results.set(index, Result { try run(batches[index].captures, "\(index).pcapng", in: folder) })
        }
        var all: [String: [Packet]] = [:]
        for result in results.all { all.merge(try result.get()) { first, _ in first } }
        return all
    }

    private static let packetFields = [
        "tcp.stream", "udp.stream", "ip.src", "ipv6.src", "tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport",
        "frame.len", "frame.protocols",
    ]

    private static func run(
        _ captures: [Capture],
        _ name: String,
        in folder: TemporaryFolder
    ) throws -> [String: [Packet]] {
        let file = try folder.file(name, joined(captures))
        let arguments = ["-n", "-r", file, "-T", "fields", "-E", "occurrence=f"] + packetFields.flatMap { ["-e", $0] }
        let ended = try ChildProgram.run("tshark", arguments, errors: file + ".errors")
        let lines = ended.output.split(separator: "\n")
        let count = captures.reduce(0) { $0 + $1.packets.count }
        guard ended.status == 0, lines.count == count else {
            throw HelperError("tshark gives \(lines.count) lines for \(count) packets: \(ended.errors.suffix(400))")
        }
        var packets = try lines.map(packet)[...]
        var all: [String: [Packet]] = [:]
        for capture in captures {
            all[capture.name] = Array(packets.prefix(capture.packets.count))
            packets = packets.dropFirst(capture.packets.count)
        }
        return all
    }

    private static func packet(_ line: Substring) throws -> Packet {
        let parts = line.split(separator: "\t", omittingEmptySubsequences: false)
        guard parts.count == packetFields.count, let length = Int(parts[8]) else {
            throw HelperError("tshark printed \(line)")
        }
        let protocols = parts[9].split(separator: ":")
        let isV6 = parts[2].isEmpty || protocols.first { $0 == "ip" || $0 == "ipv6" } == "ipv6"
        return Packet(
            tcpStream: Int(parts[0]),
            udpStream: Int(parts[1]),
            source: String(isV6 ? parts[3] : parts[2]),
            tcpPorts: "\(parts[4]) \(parts[5])",
            udpPorts: "\(parts[6]) \(parts[7])",
            length: length,
            protocols: protocols
        )
    }
}

// Joining captures
extension Tshark {
    struct Capture: Sendable {
        var name: String
        var bytes: [UInt8]
        var packets: [CapturedPacket] = []
        /// What no other capture of a run may have.
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

    /// Gathers what threads find out.
    private final class Results: @unchecked Sendable {
        private let lock = NSLock()
        private var results: [Result<[String: [Packet]], any Error>]

        init(count: Int) {
            results = Array(repeating: .success([:]), count: count)
        }

        func set(_ index: Int, _ result: Result<[String: [Packet]], any Error>) {
            lock.withLock { results[index] = result }
        }

        var all: [Result<[String: [Packet]], any Error>] { lock.withLock { results } }
    }
}

extension Endpoint {
    fileprivate init(_ address: IPAddress) {
        self.init(address: address, port: 0)
    }
}
