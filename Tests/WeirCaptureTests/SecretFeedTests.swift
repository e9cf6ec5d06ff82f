import Testing
import WeirCapture

@Suite("The secrets for a capture of packets")
struct SecretFeedTests {
    @Test("Lines are taken once, each with its end, and none after the feed is closed")
    func feed() {
        let feed = SecretFeed()
        #expect(feed.take().isEmpty && !feed.isExpected)
        feed.expect()
        feed.add(["a 1", "b 2"])
        feed.add(["c 3"])
        #expect(feed.isExpected && feed.take() == Array("a 1\nb 2\nc 3\n".utf8) && feed.take().isEmpty)
        feed.close()
        feed.add(["d 4"])
        #expect(feed.take().isEmpty)
    }

    @Test("Secrets are kept for the next file as long as packets may wait that they decrypt")
    func recent() {
        var recent = RecentSecrets()
        let patience = SecretFeed.patience
        recent.add([1], at: 0)
        recent.add([2], at: patience)
        #expect(recent.lines(at: 2 * patience) == [1, 2] && recent.lines(at: 2 * patience + 1) == [2])
        recent.add([3], at: 10 * patience)
        #expect(recent.lines(at: 10 * patience) == [3] && recent.lines(at: 0) == [3])
    }
}
