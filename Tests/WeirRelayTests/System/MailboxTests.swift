import Glibc
import Support
import Testing

@testable import WeirRelay

@Suite("Mailbox", .timeLimit(.minutes(1)))
struct MailboxTests {
    private static func isReadable(_ raw: Int32, within milliseconds: Int32 = 0) -> Bool {
        var descriptor = pollfd(fd: raw, events: Int16(POLLIN), revents: 0)
        return poll(&descriptor, 1, milliseconds) == 1
    }

    @Test("Rings when a message is there, and gives messages in order")
    func order() throws {
        let mailbox = try Mailbox<Int>()
        #expect(!Self.isReadable(mailbox.signal))
        for number in 0..<3 { #expect(mailbox.post(number)) }
        #expect(Self.isReadable(mailbox.signal))
        #expect(mailbox.take() == [0, 1, 2])
        #expect(!Self.isReadable(mailbox.signal))
        #expect(mailbox.take().isEmpty)
        mailbox.post(3)
        #expect(Self.isReadable(mailbox.signal))
    }

    @Test("Refuses messages when it is closed")
    func close() throws {
        let mailbox = try Mailbox<Int>()
        mailbox.post(1)
        #expect(mailbox.close() == [1])
        #expect(!mailbox.post(2))
        #expect(mailbox.take().isEmpty)
    }

    @Test("Loses no message and no ring of several threads")
    func threads() async throws {
        let mailbox = try Mailbox<Int>()
        async let taken = runThread {
            var messages: [Int] = []
            while messages.count < 40_000, Self.isReadable(mailbox.signal, within: 10_000) {
                messages += mailbox.take()
            }
            return messages
        }
        try await withThrowingTaskGroup { group in
            for thread in 0..<4 {
                group.addTask {
                    try await runThread { for number in 0..<10_000 { mailbox.post((thread << 16) + number) } }
                }
            }
            try await group.waitForAll()
        }
        let messages = try await taken
        #expect(messages.count == 40_000)
        for thread in 0..<4 {
            #expect(messages.filter { $0 >> 16 == thread }.map { $0 & 0xFFFF } == Array(0..<10_000))
        }
    }
}
