import Testing
import WeirWire

@testable import WeirAnalysis

@Suite("TCP in one line")
struct TCPInfoTests {
    private func text(
        _ flags: TCPFlags,
        _ options: [UInt8] = [],
        length: Int = 0,
        first: UInt32? = nil,
        other: UInt32? = nil,
        shift: UInt8 = 0
    ) throws -> String {
        let bytes = OptionBytes(options.span.bytes)
        var header = TCPHeader(
            sourcePort: 49_152,
            destinationPort: 80,
            sequenceNumber: 1000,
            acknowledgmentNumber: 2000,
            flags: flags,
            window: 500,
            options: TCPOptions(bytes: try #require(bytes))
        )
        header.urgentPointer = 7
        var output = ByteBuffer()
        TCPInfo(header, length: length, first: first, other: other, shift: shift).append(to: &output)
        return output.string
    }

    @Test("Flags come in the order of their bits")
    func flags() throws {
        #expect(try text([]) == "49152 → 80 [<None>] Seq=1000 Win=500 Len=0")
        #expect(try text(.syn) == "49152 → 80 [SYN] Seq=1000 Win=500 Len=0")
        #expect(try text([.ack, .syn, .fin]) == "49152 → 80 [FIN, SYN, ACK] Seq=1000 Ack=2000 Win=500 Len=0")
        #expect(
            try text([.rst, .psh, .ece, .cwr, .ae]) == "49152 → 80 [RST, PSH, ECE, CWR, AE] Seq=1000 Win=500 Len=0"
        )
        #expect(try text(.urg, length: 12) == "49152 → 80 [URG] Seq=1000 Win=500 Len=12 Urg=7")
    }

    @Test("Numbers are relative to the first ones, and the window is shifted")
    func numbers() throws {
        let line = try text(.ack, length: 3, first: 990, other: 2001, shift: 7)
        #expect(line == "49152 → 80 [ACK] Seq=10 Ack=4294967295 Win=64000 Len=3")
    }

    @Test(
        "Each option is shown",
        arguments: [
            ([2, 4, 5, 0xb4], " MSS=1460"), ([3, 3, 0], " WS=1"), ([3, 3, 7], " WS=128"), ([3, 3, 14], " WS=16384"),
            ([3, 3, 15], " WS=16384"), ([4, 2], " SACK_PERM"),
            ([8, 10, 0, 0, 0, 5, 0, 0, 0, 6], " TSval=5 TSecr=6"),
            ([5, 10, 0, 0, 7, 0xd0, 0, 0, 7, 0xd5], " SLE=10 SRE=15"),
            ([5, 18, 0, 0, 7, 0xd0, 0, 0, 7, 0xd5, 0, 0, 7, 0xd7, 0, 0, 7, 0xd8], " SLE=10 SRE=15 SLE=17 SRE=18"),
            ([1, 1, 30, 4, 0, 0], ""), ([2, 5, 1, 1, 1], ""),
        ] as [([UInt8], String)]
    )
    func options(options: [UInt8], expected: String) throws {
        #expect(try text(.ack, options, other: 1990) == "49152 → 80 [ACK] Seq=1000 Ack=10 Win=500 Len=0" + expected)
    }
}
