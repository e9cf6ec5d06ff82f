import Support
import Testing
import WeirEngine
import WeirWire

@Suite("A flow whose echo is expected")
struct FlowExpectedEchoTests {
    private func connected(
        _ transport: Transport = .tcp,
        window: Int = 100,
        _ change: (inout FlowSettings) -> Void = { _ in }
    ) -> Playbook {
        .connected(transport) {
            ($0.expectsEcho, $0.echoWindow) = (true, window)
            change(&$0)
        }
    }

    private func echo(at offset: UInt64, after delay: Duration = .zero) -> Echo { Echo(offset: offset, delay: delay) }

    /// Makes a flow whose client has just sent a text, which went on.
    private func sent(_ text: String, window: Int = 100, _ change: (inout FlowSettings) -> Void = { _ in }) -> Playbook
    {
        var flow = connected(window: window, change)
        flow(.received(.upstream), text, gives: .data(.upstream, 0, at: 0, text.utf8.count), .send(.upstream))
        return flow
    }

    /// Makes a flow whose client has just sent a text that is longer than the window.
    private func sentTooMuch(_ text: String, window: Int) -> Playbook {
        var flow = connected(window: window)
        flow(
            .received(.upstream),
            text,
            gives: .data(.upstream, 0, at: 0, text.utf8.count),
            .send(.upstream),
            .pause(.upstream)
        )
        return flow
    }

    @Test("Is content with an echo, however it is cut")
    func content() {
        var flow = sent("hello")
        flow(
            .received(.downstream),
            "he",
            gives: .data(.downstream, 0, at: 0, 2, echo: echo(at: 0)),
            .send(.downstream)
        )
        flow(
            .received(.downstream),
            "llo",
            gives: .data(.downstream, 1, at: 2, 3, echo: echo(at: 2)),
            .send(.downstream)
        )
        flow(.finished(.upstream), gives: .ended(.upstream), .finish(.upstream))
        flow(
            .finished(.downstream),
            gives: .ended(.downstream),
            .closed(.finished, up: .of(5, in: 1), down: .of(5, in: 2)),
            .close(.finished)
        )
    }

    @Test("Reports the first byte that differs, once, and lets the flow go on")
    func differs() {
        var flow = sent("hello")
        flow(
            .received(.downstream),
            "heLLo",
            gives: .data(.downstream, 0, at: 0, 5),
            .send(.downstream),
            .mismatch(.byte(offset: 2, sent: 0x6c, received: 0x4c))
        )
        flow(.received(.upstream), "x", gives: .data(.upstream, 1, at: 5, 1), .send(.upstream))
        flow(.received(.downstream), "y", gives: .data(.downstream, 1, at: 5, 1), .send(.downstream))
    }

    @Test("Reports the first byte of an answer to nothing, and one beyond what was sent")
    func tooMuch() {
        var greeted = connected()
        greeted(
            .received(.downstream),
            "220",
            gives: .data(.downstream, 0, at: 0, 3),
            .send(.downstream),
            .mismatch(.byte(offset: 0, sent: nil, received: 0x32))
        )
        var flow = sent("ab")
        flow(
            .received(.downstream),
            "abc",
            gives: .data(.downstream, 0, at: 0, 3),
            .send(.downstream),
            .mismatch(.byte(offset: 2, sent: nil, received: 0x63))
        )
    }

    @Test("Reads upstream no further than the window, until a part has come back")
    func window() {
        var flow = sentTooMuch("hello", window: 4)
        flow(.writable(.upstream))
        flow(
            .received(.downstream),
            "he",
            gives: .data(.downstream, 0, at: 0, 2, echo: echo(at: 0)),
            .send(.downstream),
            .resume(.upstream)
        )
    }

    @Test("Reports what does not come in time, and reads on")
    func stall() {
        var flow = sentTooMuch("hello", window: 4)
        flow.advance(by: .seconds(9))
        flow(
            .received(.downstream),
            "h",
            gives: .data(.downstream, 0, at: 0, 1, echo: echo(at: 0, after: .seconds(9))),
            .send(.downstream)
        )
        flow.advance(by: .seconds(1))
        flow(.wake, gives: .wake(at: .seconds(19)))
        flow.advance(by: .seconds(9))
        flow(.wake, gives: .mismatch(.byte(offset: 1, sent: 0x65, received: nil)), .resume(.upstream))
    }

    @Test("Does not time a flow whose bytes have all come back")
    func idle() {
        var flow = sent("a")
        flow(.received(.downstream), "a", gives: .data(.downstream, 0, at: 0, 1, echo: echo(at: 0)), .send(.downstream))
        flow.advance(by: .seconds(10))
        flow(.wake)
    }

    @Test("Reports what is missing when the idle time-out ends the flow")
    func idleTimeout() {
        var flow = sent("a") { $0.idleTimeout = .seconds(3) }
        flow.advance(by: .seconds(3))
        flow(.wake, gives: .reset(.downstream, by: .seconds(3)), .reset(.upstream, by: .seconds(3)))
        flow(.resetDone(.downstream, unsent: 0))
        flow(
            .resetDone(.upstream, unsent: 0),
            gives: .mismatch(.byte(offset: 0, sent: 0x61, received: nil)),
            .closed(.idle, up: .of(1, in: 1), after: .seconds(3)),
            .close(.idle)
        )
    }

    @Test("Reports what is missing when the server ends")
    func serverEnds() {
        var flow = sent("ab")
        flow(
            .finished(.downstream),
            gives: .ended(.downstream),
            .mismatch(.byte(offset: 0, sent: 0x61, received: nil)),
            .finish(.downstream)
        )
    }

    @Test("Reports a server that cannot be reached")
    func refused() {
        var flow = Playbook(.tcp) { $0.expectsEcho = true }
        flow.start(gives: .connect(0), .wake(at: .seconds(10)))
        flow(
            .connectFailed(.connectionRefused),
            gives: .opened,
            .refused(.connectionRefused),
            .reset(.downstream, by: .zero)
        )
        flow(
            .resetDone(.downstream, unsent: 0),
            gives: .mismatch(.refused),
            .closed(.refused),
            .close(.refused)
        )
    }

    @Test("Does not ask a client that resets for the rest of its echo")
    func clientReset() {
        var flow = sent("a")
        flow(.aborted(.upstream, .connectionReset), gives: .pause(.downstream), .wake(at: .seconds(1)))
        flow(.finished(.upstream), gives: .reset(.upstream, by: .seconds(1)))
        flow(
            .resetDone(.upstream, unsent: 0),
            gives: .closed(.clientReset, up: .of(1, in: 1)),
            .close(.clientReset)
        )
    }

    @Test("Counts the datagrams that never came back, and reports one that came back wrong")
    func datagrams() {
        var flow = connected(.udp)
        flow(.received(.upstream), "one", gives: .data(.upstream, 0, at: 0, 3), .send(.upstream))
        flow(.received(.upstream), "two", gives: .data(.upstream, 1, at: 3, 3), .send(.upstream))
        flow(
            .received(.downstream),
            "two",
            gives: .data(.downstream, 0, at: 0, 3, echo: echo(at: 3)),
            .send(.downstream)
        )
        flow(
            .received(.downstream),
            "onE",
            gives: .data(.downstream, 1, at: 3, 3),
            .send(.downstream),
            .mismatch(.byte(offset: 2, sent: 0x65, received: 0x45))
        )
        // The changed one has come back: it is not unanswered as well.
        flow(.shutdown, gives: .closed(.shutdown, up: .of(6, in: 2), down: .of(6, in: 2)), .close(.shutdown))
    }

    @Test("Reports each changed datagram once, in any order, and one that nobody sent")
    func changedDatagrams() {
        var flow = connected(.udp)
        for (number, text) in ["aaaa", "bbbb", "cccc", "dd"].enumerated() {
            let offset = UInt64(number * 4)
            flow(
                .received(.upstream),
                text,
                gives: .data(.upstream, UInt64(number), at: offset, text.utf8.count),
                .send(.upstream)
            )
        }
        let answers: [(String, Mismatch?, Echo?)] = [
            ("cccX", .byte(offset: 11, sent: 0x63, received: 0x58), nil), ("aaaa", nil, echo(at: 0)),
            ("bX", .byte(offset: 12, sent: 0x64, received: 0x62), nil),
            ("Xbbb", .byte(offset: 4, sent: 0x62, received: 0x58), nil),
            ("more", .byte(offset: 14, sent: nil, received: 0x6d), nil),
        ]
        var offset: UInt64 = 0
        for (number, (text, mismatch, echo)) in answers.enumerated() {
            let data = Expectation.data(.downstream, UInt64(number), at: offset, text.utf8.count, echo: echo)
            if let mismatch {
                flow(.received(.downstream), text, gives: data, .send(.downstream), .mismatch(mismatch))
            } else {
                flow(.received(.downstream), text, gives: data, .send(.downstream))
            }
            offset += UInt64(text.utf8.count)
        }
        flow(.shutdown, gives: .closed(.shutdown, up: .of(14, in: 4), down: .of(18, in: 5)), .close(.shutdown))
    }

    @Test("Counts the datagrams that 64 newer ones pushed out")
    func manyDatagrams() {
        var flow = connected(.udp)
        for number in 0..<100 {
            let offset = UInt64(number)
            flow(.received(.upstream), "x", gives: .data(.upstream, offset, at: offset, 1), .send(.upstream))
        }
        flow(
            .evicted,
            gives: .mismatch(.unanswered(datagrams: 100)),
            .closed(.evicted, up: .of(100, in: 100)),
            .close(.evicted)
        )
    }
}
