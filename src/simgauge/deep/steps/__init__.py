"""Steps of a traced network and what each demands of scales: one function a step."""
