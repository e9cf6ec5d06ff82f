import Testing
import WeirAnalysis
import WeirDissect
import WeirWire

@Suite("The slowest answers")
struct SlowestAnswersTests {
    private static func slowest(_ traffic: MadeTraffic, limit: Int = 100) -> SlowestAnswers {
        var slowest = SlowestAnswers(limit: limit)
        var dissector = CaptureDissector(wantsFields: false)
        traffic.read { packet, bytes, flows in
            dissector.add(packet, bytes, in: flows) { slowest.add($1, of: FlowLabel(number: $0 + 1)) }
        }
        dissector.finish { slowest.add($1, of: FlowLabel(number: $0 + 1)) }
        return slowest
    }

    /// What is shown of an answer: two words of both messages, and milliseconds.
    private static func texts(_ slowest: SlowestAnswers) -> [String] {
        func words(_ message: Message?) -> String {
            message?.summary.string.split(separator: " ").prefix(2).joined(separator: " ") ?? "-"
        }
        return slowest.answers.map { "\(words($0.request)): \(words($0.answer)), \($0.took / 1_000_000)" }
    }

    /// Lets time pass: a packet of another flow is a millisecond.
    private static func wait(_ milliseconds: Int, _ traffic: inout MadeTraffic) {
        for _ in 0..<milliseconds { traffic.datagram(MadeTraffic.Ports(client: 9, server: 9), .upstream, [0]) }
    }

    private static func http(_ delays: [Int]) -> MadeTraffic {
        var traffic = MadeTraffic()
        traffic.open()
        for (number, delay) in delays.enumerated() {
            traffic.send(.upstream, "GET /\(number) HTTP/1.1\r\nHost: h\r\n\r\n")
            wait(delay - 1, &traffic)
            traffic.send(.downstream, "HTTP/1.1 204 No\r\n\r\n")
        }
        return traffic
    }

    @Test("Come first, with their requests; of the same time the earlier one")
    func order() {
        let slowest = Self.slowest(Self.http([1, 3, 2, 3]))
        #expect(
            Self.texts(slowest) == ["GET /1: 204 No, 3", "GET /3: 204 No, 3", "GET /2: 204 No, 2", "GET /0: 204 No, 1"]
        )
        #expect(slowest.count == 4)
    }

    @Test("Are as many as wanted, and the others are counted", arguments: [1, 3, 200])
    func limit(count: Int) {
        let slowest = Self.slowest(Self.http((0..<150).map { $0 % 7 == 0 ? 2 : 1 }), limit: count)
        #expect(slowest.count == 150 && slowest.answers.count == min(count, 150))
        let times = slowest.answers.map { $0.took / 1_000_000 }
        #expect(times == (0..<min(count, 150)).map { $0 < 22 ? 2 : 1 })
        #expect(slowest.answers.first?.request?.summary.string.hasPrefix("GET /0") == true)
    }

    @Test("An answer of DNS belongs to the request that asks the same")
    func names() {
        let answers = Self.slowest(.questions).answers
        #expect(answers.map { $0.took / 1_000_000 } == [3, 1])
        #expect(answers.map { $0.request?.summary.string } == ["query A a", "query AAAA a"])
    }

    @Test("A statement of PostgreSQL has the time to its first answer, and what it came to")
    func statements() {
        let (ports, message) = (MadeTraffic.postgresql, MadeTraffic.statement)
        var traffic = MadeTraffic()
        traffic.open(ports)
        traffic.send(.upstream, message("Q", Array("select 1\u{0}".utf8)), ports)
        Self.wait(2, &traffic)
        traffic.send(.downstream, message("D", [0, 1, 0, 0, 0, 1, 0x31]), ports)
        traffic.send(.downstream, message("C", Array("SELECT 1\u{0}".utf8)) + message("Z", [0x49]), ports)
        traffic.send(.upstream, message("Q", Array("delete from t\u{0}".utf8)), ports)
        traffic.send(.downstream, message("E", Array("SERROR\u{0}C42P01\u{0}\u{0}".utf8)) + message("Z", [0x49]), ports)
        let slowest = Self.slowest(traffic)
        #expect(Self.texts(slowest) == ["query select: done SELECT, 3", "query delete: error ERROR, 1"])
        // As JSON shows them.
        #expect(slowest.answers.map { $0.answer.answer?.delay } == [3_000_000, 1_000_000])
    }

    @Test("A request as a log without bytes has it is found, too")
    func logged() {
        var slowest = SlowestAnswers(limit: 5)
        var message = Message()
        (message.name, message.direction) = ("redis", .upstream)
        (message.range, message.summary, message.isRequest) = (7..<9, MessageText(escaping: "GET a"), true)
        slowest.add(message, of: 1)
        message.direction = .downstream
        message.answer = MessageAnswer(request: 7, delay: 5_000_000)
        slowest.add(message, of: 2)
        slowest.add(message, of: 1)
        #expect(slowest.answers.map { $0.request?.summary.string } == [nil, "GET a"])
    }

    @Test("An answer whose request was not captured has none")
    func alone() {
        var slowest = SlowestAnswers(limit: 5)
        var message = Message()
        (message.name, message.direction) = ("redis", .downstream)
        message.answer = MessageAnswer(request: 7, delay: 5_000_000)
        slowest.add(message, of: 1)
        message.answer = MessageAnswer(request: 7)
        slowest.add(message, of: 1)
        #expect(slowest.count == 1 && slowest.answers.first?.request == nil)
    }
}
