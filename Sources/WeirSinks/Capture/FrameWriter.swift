import WeirEngine
import WeirWire

/// A writer of frames as the packets of one capture, with its format, its interfaces, its clock and its counts.
struct FrameWriter: Sendable {
    private static let snapLength: UInt32 = 262_144
    private static let statement = """
        The packets of this file are synthesised from what the relay read from its sockets and wrote to them: every byte \
        is real, and so are addresses, ports and times of reads; retransmissions, segment sizes, windows and hardware \
        addresses are not, and round-trip times are the relay's. On both legs 'in' is from the client to the server.
        """
    private static let plainStatement = """
        Flows with TLS are decrypted: their packets hold plaintext, and the sizes and times of TLS's own records are not in \
        the file.
        """
    private static let cipherStatement = """
        Flows with TLS are encrypted as they were on the wire, with the secrets that decrypt them; those that began in an \
        earlier file cannot be decrypted.
        """

    /// The counts of one interface in this file.
    private struct Interface {
        var leg: FlowLeg
        var packets: UInt64 = 0
    }

    let settings: CaptureSettings
    /// The number of the file, from 1: what each file must contain once is written again in the next.
    private(set) var file: UInt32 = 0
    private var pcapng = PcapngWriter()
    private let pcap: PcapWriter
    private var interfaces: [Interface] = []
    private var began: Int64 = 0
    /// The time of the last packet, in ns since 1970 UTC: no later packet has an earlier time.
    private var last = Int64.min
    private var nextNumber: UInt64 = 1
    /// The number of chunks that were left out of this file.
    private var lostChunks: UInt64 = 0
    private var names = CapturedNames()
    /// The secrets for the next packet.
    private var secrets: [UInt8] = []
    private var random: SplitMix64
    /// The payloads of the current chunk, each with its checksum, computed once for both legs.
    private(set) var pieces: [(range: Range<Int>, sum: Checksum)] = []
    /// Whether payloads are in the file; if not, packets are cut behind their headers, as by a capture of short
    /// packets, and the bytes of chunks, which stand for others, are not read.
    var keepsPayloads = true
    /// The number of bytes of chunks that were summed up or copied to packets.
    private(set) var payloadBytesRead = 0

    init(_ settings: CaptureSettings) {
        self.settings = settings
        random = SplitMix64(seed: settings.seed)
        pcap = PcapWriter(PcapHeader(linkType: .ethernet, snapLength: Self.snapLength))
        interfaces = FlowLeg.allCases.filter(settings.includes).map { Interface(leg: $0) }
    }

    /// Takes a number for each of some frames, and returns the first.
    mutating func takeNumbers(_ count: Int = 1) -> UInt64 {
        defer { nextNumber &+= UInt64(count) }
        return nextNumber
    }

    /// Draws the first sequence number of an end of a connection, which is never 0.
    mutating func drawSequenceNumber() -> UInt32 { UInt32.random(in: 1 ... .max, using: &random) }

    /// Cuts a chunk into payloads that fit a packet (one for an empty chunk); returns the number of their first packet.
    mutating func cut(_ bytes: RawSpan, _ largest: Int) -> UInt64 {
        pieces.removeAll(keepingCapacity: true)
        var start = 0
        repeat {
            let end = start + min(largest, bytes.byteCount - start)
            var sum = Checksum()
            if keepsPayloads {
                sum.add(bytes.extracting(start..<end))
                payloadBytesRead &+= end - start
            }
            pieces.append((start..<end, sum))
            start = end
        } while start < bytes.byteCount
        return takeNumbers(pieces.count)
    }

    /// Appends a frame; if its time is not later than that of the previous frame, it is moved to 1 ns after that.
    mutating func append(
        _ frame: Frame,
        _ header: some TransportHeader,
        _ payload: RawSpan,
        _ sum: Checksum,
        _ flags: PacketFlags = [],
        to output: inout ByteBuffer
    ) {
        guard let interface = interfaces.firstIndex(where: { $0.leg == frame.leg }) else { return }
        if !secrets.isEmpty {
            pcapng.append(CaptureSecrets(format: .tls, bytes: secrets), to: &output)
            secrets = []
        }
        last = max(frame.time, last == .max ? last : last &+ 1)
        interfaces[interface].packets &+= 1
        let direction: PacketFlags = frame.direction == .upstream ? .inbound : .outbound
        var packet = PacketMetadata(timestamp: last, interface: UInt32(interface))
        let size = frame.size(header, payload: payload.byteCount)
        let kept = keepsPayloads ? size : size - payload.byteCount
        if kept < size { packet.originalLength = UInt32(size) }
        if keepsPayloads { payloadBytesRead &+= payload.byteCount }
        switch settings.format {
        case .pcapng:
            packet.options.flags = direction.union(flags)
            packet.options.packetID = frame.number
            packet.options.process = frame.process.map { PacketProcess($0) }
            if !frame.comments.isEmpty { packet.options.comments = frame.comments }
            pcapng.append(packet, upTo: kept, to: &output) {
                frame.write(header, payload, sum, isCut: kept < size, into: $0)
            }
        case .pcap:
            pcap.append(packet, upTo: kept, to: &output) {
                frame.write(header, payload, sum, isCut: kept < size, into: $0)
            }
        }
    }
}

// The blocks around the packets
extension FrameWriter {
    /// Begins a file at a time, in ns since 1970 UTC.
    mutating func begin(at time: Int64, to output: inout ByteBuffer) {
        file &+= 1
        began = time
        lostChunks = 0
        for index in interfaces.indices { interfaces[index].packets = 0 }
        guard settings.format == .pcapng else { return pcap.appendHeader(to: &output) }
        let section = CaptureSection(
            operatingSystem: settings.operatingSystem,
            application: settings.application + " (synthesised packets)",
            comments: [Self.statement + " " + (settings.isCipher ? Self.cipherStatement : Self.plainStatement)]
        )
        pcapng.append(section, to: &output)
        for interface in interfaces {
            pcapng.append(Self.description(of: interface.leg), to: &output)
        }
        let known = names.all
        if !known.isEmpty { pcapng.append(CaptureNames(records: known), to: &output) }
    }

    private static func description(of leg: FlowLeg) -> CaptureInterface {
        let (name, ends) =
            leg == .client ? ("weir:client", "clients and the relay") : ("weir:server", "the relay and servers")
        return CaptureInterface(
            linkType: .ethernet,
            snapLength: snapLength,
            name: name,
            description: "between \(ends); synthesised from the relay's sockets"
        )
    }

    /// Keeps the secrets that decrypt a leg's next packets, if the leg is in the file.
    ///
    /// They are written with the next packet, which may be in the next file: at the end of a file they would be of no use, and mergecap
    /// loses them there.
    mutating func keep(_ secrets: [UInt8], of leg: FlowLeg) {
        if settings.isCipher, settings.includes(leg) { self.secrets += secrets }
    }

    /// Writes the names of an address, once for each file, if the relay resolved any.
    mutating func introduce(_ address: IPAddress?, to output: inout ByteBuffer) {
        guard settings.format == .pcapng, let address, let record = names.add(address, settings.names(address)) else {
            return
        }
        pcapng.append(CaptureNames(records: [record]), to: &output)
    }

    /// Counts chunks that are not in the file.
    mutating func lose(_ chunks: UInt64) { lostChunks &+= chunks }

    /// Ends the file with the statistics of each interface.
    mutating func finish(to output: inout ByteBuffer) {
        guard settings.format == .pcapng, file > 0 else { return }
        let end = max(began, last)
        for (index, interface) in interfaces.enumerated() {
            var statistics = CaptureStatistics(interface: UInt32(index), timestamp: end)
            statistics.start = began
            statistics.end = end
            statistics.received = interface.packets &+ lostChunks
            statistics.droppedByInterface = lostChunks
            statistics.delivered = interface.packets
            pcapng.append(statistics, to: &output)
        }
    }
}

/// The names that a capture has written, so that the next file can repeat them.
struct CapturedNames: Sendable {
    private static let bound = 4096
    private var names: [IPAddress: [String]] = [:]
    private var order: [IPAddress] = []

    /// Returns the names to write for an address; nil if there are none, or they were all written.
    mutating func add(_ address: IPAddress, _ found: [String]) -> CaptureNames.Record? {
        // A zone is not part of the address in a packet.
        let plain = address.isV4 ? address : IPAddress(v6: address.high, low: address.low)
        guard !found.isEmpty, names[plain] != found, names.count < Self.bound || names[plain] != nil else { return nil }
        if names.updateValue(found, forKey: plain) == nil { order.append(plain) }
        return .address(plain, names: found)
    }

    /// All names that were written.
    var all: [CaptureNames.Record] { order.map { .address($0, names: names[$0] ?? []) } }
}
