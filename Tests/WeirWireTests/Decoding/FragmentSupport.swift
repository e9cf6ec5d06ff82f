import Testing
import WeirWire

/// A UDP datagram of 32 bytes, from port 1000 to port 2000.
let fragmentedDatagram = hex("03e807d000200000") + Array(0..<24)

let fragmentAddresses = AddressPair(source: .loopbackV4, destination: .anyV4)

/// Takes fragments in turn, and gives the last datagram that they made.
struct Fragments: ~Copyable {
    var reassembler = FragmentReassembler()

    init(limits: FragmentReassembler.Limits = .init()) {
        reassembler = FragmentReassembler(limits: limits)
    }

    mutating func insert(
        _ bytes: some Sequence<UInt8>,
        at offset: Int,
        hasMore: Bool = true,
        id: UInt32 = 1,
        protocol number: IPProtocol = .udp
    ) -> [UInt8]? {
        let copy = Array(bytes)
        let fragment = PacketFragment(
            key: FragmentKey(addresses: fragmentAddresses, identification: id),
            protocol: number,
            offset: offset,
            hasMore: hasMore,
            range: 0..<copy.count,
            length: copy.count
        )
        var buffer = ByteBuffer()
        buffer.append("before")
        guard let whole = reassembler.insert(fragment, of: copy.span.bytes, into: &buffer) else {
            #expect(buffer.count == 6)
            return nil
        }
        #expect(whole.range == 6..<buffer.count)
        return buffer.withUnsafeBytes { Array($0[whole.range]) }
    }
}
