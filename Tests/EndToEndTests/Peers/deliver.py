"""Delivers messages with Python's own smtplib, as they stand in their files.

usage: deliver.py smtp|lmtp PORT SENDER RECIPIENT FILE...
One line of JSON for each file: its name, and the code that the server answered.
"""
import json
import os
import re
import smtplib
import sys

dialect, port, sender, recipient = sys.argv[1:5]
client = (smtplib.LMTP if dialect == "lmtp" else smtplib.SMTP)("127.0.0.1", int(port))
client.ehlo_or_helo_if_needed()
for path in sys.argv[5:]:
    with open(path, "rb") as file:
        message = re.sub(rb"\r?\n", b"\r\n", file.read())  # smtplib sends bytes as they are
    try:
        refused = client.sendmail(sender, [recipient], message, mail_options=["BODY=8BITMIME"])
        answer = [code for code, _ in refused.values()] or [250]
    except smtplib.SMTPRecipientsRefused as fault:
        answer = [code for code, _ in fault.recipients.values()]
    except smtplib.SMTPResponseException as fault:
        answer = [fault.smtp_code]
    print(json.dumps({"file": os.path.basename(path), "code": answer[0]}), flush=True)
client.quit()
