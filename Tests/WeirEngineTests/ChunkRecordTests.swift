import Support
import Testing
import WeirEngine
import WeirWire

@Suite("A chunk's record")
struct ChunkRecordTests {
    private func record(_ number: UInt64 = 0, length: Int = 10) -> ChunkRecord {
        ChunkRecord(
            direction: .upstream,
            number: number,
            offset: 0,
            length: length,
            receivedAt: ManualClock.start.instant
        )
    }

    @Test("Has numbers of up to 48 bits", arguments: [0, 1, 0xffff_ffff, 0x1_0000_0000, 0x1234_5678_9abc] as [UInt64])
    func numbers(number: UInt64) {
        #expect(record(number).number == number)
    }

    @Test("Has lengths of up to 32 bits", arguments: [(0, 0), (7, 7), (1 << 32, 4_294_967_295)])
    func lengths(length: Int, expected: Int) {
        #expect(record(length: length).length == expected)
    }

    @Test("Says how many of its bytes are kept")
    func kept() {
        var record = record()
        #expect(record.bytesOffset == nil && record.keptBytes == 0)
        record.bytesOffset = 0
        #expect(record.bytesOffset == 0 && record.keptBytes == 10)
        record.parts = [1..<4, 6..<10]
        #expect(record.keptBytes == 7)
        record.bytesOffset = nil
        #expect(record.keptBytes == 0)
    }

    @Test("Is equal to one with equal values, also of those that few records have")
    func equality() {
        let changes: [(inout ChunkRecord) -> Void] = [
            { $0.echo = Echo(offset: 3, delay: .milliseconds(5)) }, { $0.peer = Playbook.serverEndpoint },
            { $0.changes = [ToxicChange(.cut, count: 3)] }, { $0.parts = [1..<2] },
        ]
        for (index, change) in changes.enumerated() {
            var (one, same) = (record(), record())
            change(&one)
            #expect(one != same)
            change(&same)
            #expect(one == same && one.hashValue == same.hashValue)
            for (other, changeOther) in changes.enumerated() where other != index {
                var more = one
                changeOther(&more)
                #expect(more != one)
            }
        }
        var plain = record()
        for change in changes { change(&plain) }
        (plain.echo, plain.peer, plain.changes, plain.parts) = (nil, nil, [], [])
        #expect(plain == record())
    }
}
