"""Mail: messages with their parts and attachments, as mailboxes and as Outlook store them."""
