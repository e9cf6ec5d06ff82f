import Glibc
import Testing

@testable import WeirRelay

@Suite("Waiting with poll")
struct PollTests {
    @Test(
        "A time-out is rounded up to milliseconds, and bounded",
        arguments: [
            (nil, -1), (.zero, 0), (.nanoseconds(1), 1), (.milliseconds(1), 1), (.nanoseconds(1_000_001), 2),
            (.seconds(3), 3000), (.seconds(-1), 0), (.seconds(10_000_000_000), .max),
        ] as [(Duration?, Int32)]
    )
    func rounds(timeout: Duration?, milliseconds: Int32) {
        #expect(Poll.milliseconds(timeout) == milliseconds)
    }

    @Test("An entry that is left out is never ready; others are for what they wait for, and for their end")
    func entries() throws {
        var ends: [Int32] = [-1, -1]
        #expect(pipe(&ends) == 0)
        defer { close(ends[0]) }
        var entries = [Poll.entry(ends[0], POLLIN), Poll.entry(ends[1], POLLOUT), Poll.entry(ends[1], nil)]
        #expect(entries[2].fd == -1 && entries[2].events == 0 && entries.map(\.revents) == [0, 0, 0])
        func ready() throws -> [Bool] {
            let count = try Poll.wait(&entries, timeout: .zero)
            let ready = [
                entries[0].isReady(for: POLLIN), entries[1].isReady(for: POLLOUT), entries[2].isReady(for: POLLIN),
            ]
            #expect(count == ready.count { $0 })
            return ready
        }
        #expect(try ready() == [false, true, false])
        #expect(write(ends[1], [1], 1) == 1)
        #expect(try ready() == [true, true, false])
        var byte: UInt8 = 0
        #expect(read(ends[0], &byte, 1) == 1)
        close(ends[1])
        // The reading end hangs up; the number of the other is none any more.
        #expect(try ready() == [true, true, false])
        #expect(entries[0].revents == POLLHUP && entries[1].revents == POLLNVAL)
    }
}
