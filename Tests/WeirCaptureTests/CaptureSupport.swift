import Glibc
import Support
import WeirCapture
import WeirEngine
import WeirWire

/// Makes a frame of TCP or UDP over IPv4 over Ethernet, with a payload of zeros.
func frame(_ tuple: FiveTuple, _ flags: TCPFlags = [], payload count: Int = 0) -> [UInt8] {
    var buffer = ByteBuffer()
    EthernetHeader(destination: MACAddress(0), source: MACAddress(0), type: .ipv4).emit(to: &buffer)
    let size = tuple.transport == .tcp ? TCPHeader.minimumSize : UDPHeader.size
    IPv4Header(
        source: tuple.source.address,
        destination: tuple.destination.address,
        protocol: IPProtocol(tuple.transport),
        payloadLength: size + count
    ).emit(to: &buffer)
    switch tuple.transport {
    case .tcp:
        TCPHeader(
            sourcePort: tuple.source.port,
            destinationPort: tuple.destination.port,
            sequenceNumber: 1,
            acknowledgmentNumber: 0,
            flags: flags,
            window: 1
        ).emit(to: &buffer)
    case .udp:
        UDPHeader(sourcePort: tuple.source.port, destinationPort: tuple.destination.port, payloadLength: count)
            .emit(to: &buffer)
    }
    return buffer.withUnsafeBytes { Array($0) } + [UInt8](repeating: 0, count: count)
}

/// Names an endpoint of the loopback.
func local(_ port: UInt16) -> Endpoint { Endpoint(address: .loopbackV4, port: port) }

/// Holds the two legs of a relayed flow on the loopback.
struct TwoLegs {
    var transport = Transport.tcp
    var id = FlowID(7)
    var client: UInt16 = 50_000
    var egress: UInt16? = 60_000

    var path: FlowPath {
        FlowPath(client: local(client), listener: local(9000), egress: egress.map(local), server: local(80))
    }
    var toListener: FiveTuple { FiveTuple(transport: transport, source: local(client), destination: local(9000)) }
    var toServer: FiveTuple { FiveTuple(transport: transport, source: local(egress ?? 0), destination: local(80)) }
    /// What each leg's first packet is to say.
    var text: String {
        "flow \(id) client 127.0.0.1:\(client) listener 127.0.0.1:9000 egress "
            + (egress.map { "127.0.0.1:\($0)" } ?? "none") + " server 127.0.0.1:80"
    }

    func record(_ happening: FlowRecord.Happening = .opened, at time: Int64 = 0) -> FlowRecord {
        let moment = Moment(wallNanoseconds: time, instant: Instant(nanoseconds: time))
        return FlowRecord(flow: id, transport: transport, path: path, moment: moment, happening: happening)
    }

    func closed(at time: Int64) -> FlowRecord {
        record(
            .closed(CloseRecord(reason: .finished, upstream: Counters(), downstream: Counters(), duration: .zero)),
            at: time
        )
    }
}

/// Lists what the descriptors of this process lead to.
func descriptorTargets() -> [String] {
    (0..<4096).compactMap { descriptor in
        var target = [UInt8](repeating: 0, count: 4096)
        let count = readlink("/proc/self/fd/\(descriptor)", &target, target.count)
        return count > 0 ? String(decoding: target[..<count], as: UTF8.self) : nil
    }
}
